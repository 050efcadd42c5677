using System.Diagnostics;
using DeRa.Lab.Commands;
using DeRa.Torch.Native;

// Training takes all cores for long: whatever else the machine does comes first. Threads that begin later have this priority too.
using (var process = Process.GetCurrentProcess())
    if (process.PriorityClass == ProcessPriorityClass.Normal) process.PriorityClass = ProcessPriorityClass.BelowNormal;

return await Interruption.RunAsync(stop => LabCommands.RunAsync(args, Console.Out, Console.Error, stop));
