namespace DeRa.Lab.Data;

/// <summary>Why a story is not learned from.</summary>
internal enum StoryFault
{
    /// <summary>It does not begin with a capital, or not end with the end of a sentence.</summary>
    Truncated,

    /// <summary>It has fewer than 200 characters.</summary>
    Short,

    /// <summary>It has characters that are not ASCII, or none that stories have.</summary>
    Characters,

    /// <summary>In a paragraph a quotation mark is missing or misplaced.</summary>
    Quotations,

    /// <summary>A sentence begins with a small letter, or sentences run into each other.</summary>
    Sentences,

    /// <summary>A line begins with a label, such as the speaker's name.</summary>
    Labels,

    /// <summary>Of a story in lower case it is unknown which words have capitals.</summary>
    UnknownWords,

    /// <summary>It begins as, or has a long part of, one that was read before.</summary>
    Duplicate,

    /// <summary>It has a long part of a story that is held out.</summary>
    HeldOut,
}
