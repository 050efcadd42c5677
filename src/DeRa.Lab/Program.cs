using DeRa.Lab.Commands;

return await LabCommands.RunAsync(args, Console.Out, Console.Error);
