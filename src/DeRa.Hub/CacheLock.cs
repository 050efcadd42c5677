namespace DeRa.Hub;

/// <summary>
/// The lock that lets one process at a time download a blob. On Unix an exclusively opened file is locked with flock, which
/// is what Python's filelock takes; so Python waits for us and we for Python.
/// </summary>
internal static class CacheLock
{
    private const int LinuxWouldBlock = 11, MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020), WindowsLockViolation = unchecked((int)0x80070021);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits for the lock; disposing what comes back gives it up. The file stays, as other processes may wait on it.</summary>
    public static async Task<IDisposable> TakeAsync(string path, TimeProvider time, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException exception) when (IsTaken(exception))
            {
                await Task.Delay(Poll, time, cancellation);
            }
        }
    }

    private static bool IsTaken(IOException exception) =>
        exception.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation or WindowsLockViolation;
}
