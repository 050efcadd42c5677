using DeRa.Cli;
using DeRa.Torch.Native;

return await Interruption.RunAsync(stop => Commands.RunAsync(args, Console.Out, Console.Error, stop));
