using DeRa.Lab.Commands;
using DeRa.Torch.Native;

return await Interruption.RunAsync(stop => LabCommands.RunAsync(args, Console.Out, Console.Error, stop));
