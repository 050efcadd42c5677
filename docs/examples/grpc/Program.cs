using DeRa.Protos.V1;
using Grpc.Core;
using Grpc.Net.Client;

// Nothing of DeRa's but its protos: a stream whose strength is changed after twenty pieces.
using var channel = GrpcChannel.ForAddress(Environment.GetEnvironmentVariable("DERA_GRPC_URL") ?? "http://localhost:8081");
using var call = new InferenceService.InferenceServiceClient(channel).Converse();
var options = new GenerationOptions { AlignmentStrength = 0, MaxTokens = 60, Seed = 23 };
await call.RequestStream.WriteAsync(new() { Start = new() { Prompt = new() { Text = "Lily lost her toy." }, Options = options } });
var pieces = 0;
await foreach (var happened in call.ResponseStream.ReadAllAsync())
{
    if (happened.Delta is { } delta) Console.Write(delta.Text);
    if (happened.Changed is { } changed) Console.Write($" [λ = {changed.AlignmentStrength}]");
    if (++pieces == 20) await call.RequestStream.WriteAsync(new() { Change = new() { AlignmentStrength = 2 } });
}
Console.WriteLine();
