using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Xunit;

namespace DeRa.Testing.Server;

/// <summary>A real Prometheus that scrapes what it is told to.</summary>
public sealed class PrometheusProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TemporaryFolder _folder;
    private readonly HttpClient _http;

    private PrometheusProcess(Process process, TemporaryFolder folder, string address) =>
        (_process, _folder, _http) = (process, folder, new HttpClient { BaseAddress = new Uri($"http://{address}") });

    /// <summary>Starts it with these <c>scrape_configs</c>, in YAML; the test is skipped where there is none.</summary>
    public static async Task<PrometheusProcess> StartAsync(string scrapeConfigs)
    {
        var program = Find("prometheus");
        var (folder, address) = (new TemporaryFolder(), $"127.0.0.1:{FreePort()}");
        var config = Path.Combine(folder.Path, "prometheus.yml");
        await File.WriteAllTextAsync(config, "global: {scrape_interval: 1s, scrape_timeout: 1s}\n" + scrapeConfigs, ServerFixture.Stop);
        return new PrometheusProcess(Process.Start(new ProcessStartInfo(program,
            [$"--config.file={config}", $"--storage.tsdb.path={folder.Path}/data", $"--web.listen-address={address}",
                "--log.level=error"]))!, folder, address);
    }

    /// <summary>What <c>promtool check metrics</c> says of <c>/metrics</c>; the test is skipped where there is none.</summary>
    public static async Task<IReadOnlyList<string>> CheckAsync(string metrics)
    {
        using var tool = Process.Start(new ProcessStartInfo(Find("promtool"), ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        var complaints = tool.StandardError.ReadToEndAsync(ServerFixture.Stop);
        await tool.StandardInput.WriteAsync(metrics);
        tool.StandardInput.Close();
        var lines = (await complaints).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await tool.WaitForExitAsync(ServerFixture.Stop);
        return lines;
    }

    /// <summary>The first value of a query, asked for until there is one: the first scrape comes when Prometheus has started.</summary>
    public async Task<string> QueryAsync(string query)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ServerFixture.Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            limit.Token.ThrowIfCancellationRequested();
            Assert.False(_process.HasExited);
            try
            {
                var result = (await AskAsync(query, limit.Token)).GetProperty("data").GetProperty("result");
                if (result.GetArrayLength() > 0) return result[0].GetProperty("value")[1].GetString()!;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet, or says that it is starting (503).
            }
        }
    }

    /// <summary>Whether it can run a query.</summary>
    public async Task<string?> StatusAsync(string query) => (await AskAsync(query, ServerFixture.Stop)).GetProperty("status").GetString();

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task<JsonElement> AskAsync(string query, CancellationToken stop)
    {
        using var response = await _http.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}", stop);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable) response.EnsureSuccessStatusCode();
        return JsonElement.Parse(await response.Content.ReadAsStringAsync(stop));
    }

    private static string Find(string program)
    {
        var path = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"no program '{program}' is on the PATH; Debian's package 'prometheus' has it");
        return path!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
