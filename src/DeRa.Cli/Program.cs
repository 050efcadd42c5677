using DeRa.Cli;
using DeRa.Torch.Native;

return await Interruption.RunAsync((interruption, stop) => Commands.RunAsync(args, Console.Out, Console.Error, interruption, stop));
