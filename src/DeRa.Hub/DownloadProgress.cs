namespace DeRa.Hub;

/// <summary>How far the download of a model has come.</summary>
/// <param name="Model">The model as it was named.</param>
/// <param name="File">The file that has grown.</param>
/// <param name="FileBytes">How much of that file is there; less than before where it had to be started again.</param>
/// <param name="FileTotalBytes">Its length; null where the server does not report it before the end.</param>
/// <param name="DownloadedBytes">How much of all the model's files is there.</param>
/// <param name="TotalBytes">Their length, as far as it is known.</param>
public sealed record DownloadProgress(
    string Model, string File, long FileBytes, long? FileTotalBytes, long DownloadedBytes, long TotalBytes);
