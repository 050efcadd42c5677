using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DeRa.Testing.Hub;

/// <summary>A request as the server saw it.</summary>
public sealed record SeenRequest(string Method, string Path, string? Authorization, string? Range);

/// <summary>
/// A Hub with one repository, on two ports: the Hub itself, and the storage to which it sends the readers of large files.
/// It answers as the real one does until a test puts a misbehaviour before a path.
/// </summary>
public sealed class FakeHub : IAsyncDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Func<HttpContext, Task>>> _faults = new();
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly HashSet<string> _large = [];
    private readonly WebApplication _hub;
    private readonly WebApplication _storage;

    private FakeHub()
    {
        _storage = Start(request => request.Path.Value!["/storage/".Length..], ServeContentAsync);
        _hub = Start(request => Uri.UnescapeDataString(request.Path.Value!.Split('/')[^1]), ServeHubAsync);
    }

    public string Repository { get; private init; } = "org/model";

    public Uri Address => new(_hub.Urls.First());

    public Uri StorageAddress => new(_storage.Urls.First());

    /// <summary>What the API answers for the revision; null = the real listing.</summary>
    public Func<JsonObject, JsonObject>? Listing { get; set; }

    public string Revision { get; set; } = "main";

    /// <summary>A name that the repository had before, from which the Hub redirects.</summary>
    public string? FormerName { get; set; }

    /// <summary>Where a proxy has its Hub: what comes before the Hub's own paths, such as "/repository/hf".</summary>
    public string Prefix { get; set; } = "";

    /// <summary>May change the headers of each answer, as mirrors and proxies do, before it goes out.</summary>
    public Action<HttpContext>? Altering { get; set; }

    /// <summary>A mirror that sends large files itself instead of redirecting to storage.</summary>
    public bool HasLargeFiles { get; set; }

    /// <summary>A server that sends whole files, whatever part is asked for.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>A server that compresses all it sends, though it was not asked to.</summary>
    public bool Compresses { get; set; }

    /// <summary>The status with which it refuses every HEAD; null = it answers them.</summary>
    public int? RefusesHeads { get; set; }

    public ConcurrentQueue<SeenRequest> HubRequests { get; } = [];

    public ConcurrentQueue<SeenRequest> StorageRequests { get; } = [];

    /// <summary>A Hub with a whole small model: configuration, tokenizer and one file of weights.</summary>
    public static FakeHub WithModel(string repository = "org/model", int weightBytes = 300_000)
    {
        var hub = new FakeHub { Repository = repository };
        hub.Add("config.json", "{\"model_type\":\"llama\"}");
        hub.Add("tokenizer.json", "{}");
        hub.AddLarge("model.safetensors", Content(weightBytes));
        return hub;
    }

    /// <summary>Bytes that differ from each other.</summary>
    public static byte[] Content(int length, int seed = 1)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    public void Add(string path, string content) => _files[path] = Encoding.UTF8.GetBytes(content);

    /// <summary>A file in large-file storage.</summary>
    public void AddLarge(string path, byte[] content)
    {
        _files[path] = content;
        _large.Add(path);
    }

    public void Remove(string path) => _files.Remove(path);

    public byte[] this[string path] => _files[path];

    /// <summary>The Hub's checksum, computed here with the framework's hashes alone.</summary>
    public string EtagOf(string path) =>
        _large.Contains(path) ? Convert.ToHexStringLower(SHA256.HashData(_files[path])) : GitHash(_files[path]);

    /// <summary>SHA-1 of the content alone, as artifact proxies have it.</summary>
    public string Sha1Of(string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(_files[path]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The next request for the path is answered by this; several queue up. "listing" stands for the API.</summary>
    public FakeHub Next(string path, Func<HttpContext, Task> fault, int times = 1)
    {
        for (var i = 0; i < times; i++) _faults.GetOrAdd(path, _ => []).Enqueue(fault);
        return this;
    }

    /// <summary>The same with a status and headers.</summary>
    public FakeHub NextStatus(string path, int status, int times = 1, params (string Name, string Value)[] headers)
    {
        return Next(path, Answer, times);

        Task Answer(HttpContext context)
        {
            foreach (var (name, value) in headers) context.Response.Headers[name] = value;
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }
    }

    /// <summary>A path at which faults meet the storage's readers.</summary>
    public static string InStorage(string path) => "storage:" + path;

    /// <summary>
    /// Sends the file as a well-behaved server does, but only so many bytes of it; breaks the connection when they have arrived.
    /// </summary>
    public Func<HttpContext, Task> CutAfter(string path, int bytes, Func<string, long, Task> arrived) => async context =>
    {
        var offset = Offset(context.Request);
        BeginContent(context, path, offset);
        await context.Response.Body.WriteAsync(_files[path].AsMemory(offset, bytes));
        await context.Response.Body.FlushAsync();
        await arrived(path, offset + bytes);
        context.Abort();
    };

    /// <summary>Sends nothing more, but keeps the connection until the reader is gone.</summary>
    public static Task UntilGone(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        context.RequestAborted.Register(gone.SetResult);
        return gone.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private WebApplication Start(Func<HttpRequest, string> pathOf, Func<HttpContext, string, Task> serve)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        application.Run(async context =>
        {
            var isStorage = context.Request.Path.StartsWithSegments("/storage", StringComparison.Ordinal);
            var isListing = context.Request.Path.StartsWithSegments(Prefix + "/api", StringComparison.Ordinal);
            var path = isListing ? "listing" : pathOf(context.Request);
            (isStorage ? StorageRequests : HubRequests).Enqueue(new SeenRequest(
                context.Request.Method, path, context.Request.Headers.Authorization, context.Request.Headers.Range));
            if (!isStorage)
                context.Response.OnStarting(() =>
                {
                    Altering?.Invoke(context);
                    return Task.CompletedTask;
                });
            var queue = _faults.GetValueOrDefault(isStorage ? InStorage(path) : path);
            var fault = queue is not null && queue.TryDequeue(out var next) ? next : null;
            await (fault?.Invoke(context) ?? serve(context, path));
        });
        application.StartAsync().GetAwaiter().GetResult();
        return application;
    }

    private Task ServeHubAsync(HttpContext context, string path)
    {
        var address = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
        if (!address.StartsWith(Prefix, StringComparison.Ordinal)) return ServeErrorAsync(context, "EntryNotFound");
        address = address[Prefix.Length..];
        if (context.Request.Method == "HEAD" && RefusesHeads is { } refused)
        {
            context.Response.StatusCode = refused;
            return Task.CompletedTask;
        }
        if (FormerName is not null && address.Contains(FormerName, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = Prefix + address.Replace(FormerName, Repository, StringComparison.Ordinal);
            return Task.CompletedTask;
        }
        if (path == "listing") return ServeListingAsync(context, address);
        var isFile = ((string[])[Commit, Uri.EscapeDataString(Revision)])
            .Any(revision => address.StartsWith($"/{Repository}/resolve/{revision}/", StringComparison.Ordinal));
        if (!isFile || !_files.TryGetValue(path, out var content)) return ServeErrorAsync(context, "EntryNotFound");
        context.Response.Headers["X-Repo-Commit"] = Commit;
        if (!_large.Contains(path) || HasLargeFiles) return ServeContentAsync(context, path);
        context.Response.Headers["X-Linked-Etag"] = $"\"{EtagOf(path)}\"";
        context.Response.Headers["X-Linked-Size"] = $"{content.Length}";
        context.Response.Redirect($"{StorageAddress}storage/{path}");
        return Task.CompletedTask;
    }

    private Task ServeListingAsync(HttpContext context, string address)
    {
        var revisions = $"/api/models/{Repository}/revision/";
        if (!address.StartsWith(revisions, StringComparison.Ordinal)) return ServeErrorAsync(context, "RepoNotFound");
        if (address != $"{revisions}{Uri.EscapeDataString(Revision)}?blobs=true") return ServeErrorAsync(context, "RevisionNotFound");
        var listing = new JsonObject { ["sha"] = Commit, ["siblings"] = new JsonArray([.. _files.Keys.Select(Sibling)]) };
        return WriteAsync(context, Encoding.UTF8.GetBytes((Listing?.Invoke(listing) ?? listing).ToJsonString()));
    }

    private Task WriteAsync(HttpContext context, byte[] content)
    {
        if (!Compresses) return context.Response.Body.WriteAsync(content).AsTask();
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        context.Response.Headers.ContentEncoding = "gzip";
        context.Response.ContentLength = compressed.Length;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.Body.WriteAsync(compressed.ToArray()).AsTask();
    }

    private static string GitHash(byte[] content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.UTF8.GetBytes($"blob {content.Length}\0"));
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private JsonObject Sibling(string path)
    {
        var sibling = new JsonObject { ["rfilename"] = path, ["size"] = _files[path].Length, ["blobId"] = EtagOf(path) };
        if (!_large.Contains(path)) return sibling;
        sibling["blobId"] = GitHash(Encoding.UTF8.GetBytes(
            $"version https://git-lfs.github.com/spec/v1\noid sha256:{EtagOf(path)}\nsize {_files[path].Length}\n"));
        sibling["lfs"] = new JsonObject { ["sha256"] = EtagOf(path), ["size"] = _files[path].Length, ["pointerSize"] = 130 };
        return sibling;
    }

    private static Task ServeErrorAsync(HttpContext context, string code)
    {
        context.Response.StatusCode = 404;
        context.Response.Headers["X-Error-Code"] = code;
        return Task.CompletedTask;
    }

    private async Task ServeContentAsync(HttpContext context, string path)
    {
        var offset = IgnoresRanges ? 0 : Offset(context.Request);
        BeginContent(context, path, offset);
        if (Compresses) await WriteAsync(context, _files[path][offset..]);
        else if (context.Request.Method != "HEAD") await context.Response.Body.WriteAsync(_files[path].AsMemory(offset));
    }

    private void BeginContent(HttpContext context, string path, int offset)
    {
        var length = _files[path].Length;
        context.Response.Headers.ETag = $"\"{EtagOf(path)}\"";
        context.Response.ContentLength = length - offset;
        if (offset == 0) return;
        context.Response.StatusCode = 206;
        context.Response.Headers.ContentRange = $"bytes {offset}-{length - 1}/{length}";
    }

    private static int Offset(HttpRequest request) =>
        request.Headers.Range is [{ } range] ? int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture) : 0;
}
