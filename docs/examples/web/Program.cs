using DeRa.Client;
using DeRa.Client.Alignment;
using Microsoft.Extensions.AI;

// curl -N 'localhost:5000/stories?about=a+dog&strength=1.5'
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddSingleton(new DeRaClient(new Uri(builder.Configuration["DeRa"] ?? "http://localhost:8080")).GetChatClient());
var app = builder.Build();
app.MapGet("/stories", async (string about, double? strength, IChatClient chat, HttpContext context) =>
{
    var options = new ChatOptions { AlignmentStrength = strength, MaxOutputTokens = 200 };
    context.Response.ContentType = "text/plain; charset=utf-8";
    await foreach (var update in chat.GetStreamingResponseAsync($"Write a story about {about}", options, context.RequestAborted))
    {
        await context.Response.WriteAsync(update.Text);
        await context.Response.Body.FlushAsync();
    }
});
app.Run();
