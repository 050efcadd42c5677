namespace DeRa.Hub;

/// <summary>What came is not the file: it has another length or another checksum, so what lies on disk is of no use.</summary>
internal sealed class CorruptFileException(string problem) : Exception(problem);
