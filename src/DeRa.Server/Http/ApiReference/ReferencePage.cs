using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;

namespace DeRa.Server.Http.ApiReference;

/// <summary>Writes the table of operations as one page that needs nothing else: no script, no file from elsewhere.</summary>
internal static class ReferencePage
{
    private const string Style =
        "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
        + "h2{margin-top:2.5rem;border-top:1px solid #ccc;padding-top:1rem}code,pre{font-family:ui-monospace,monospace;font-size:.9em}"
        + "pre{background:#f3f3f3;padding:.7rem;overflow-x:auto}table{border-collapse:collapse;width:100%}"
        + "td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd}.small{font-size:.9em;color:#555}"
        + "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#262626}"
        + "td,th{border-color:#444}.small{color:#aaa}}";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private const string Errors = """
        <h2 id="errors">Errors</h2>
        <p>The body is <code>{"error": {"message", "type", "param", "code"}}</code>; <code>param</code> names the field. Within a
        stream that has begun, it is an event, followed by <code>[DONE]</code>.</p>
        <table><tr><th>status</th><th>when</th><th>again?</th></tr>
        <tr><td>400</td><td>a bad value; prompt and answer are more than the context holds (<code>context_length_exceeded</code>)</td>
        <td>no</td></tr>
        <tr><td>401</td><td>no key, or a wrong one, where the server has keys</td><td>no</td></tr>
        <tr><td>404</td><td>an unknown model (<code>model_not_found</code>) or path</td><td>no</td></tr>
        <tr><td>405, 413, 415</td><td>another method, too large a body, another media type</td><td>no</td></tr>
        <tr><td>408</td><td>the request took too long</td><td>yes</td></tr>
        <tr><td>429</td><td>too many requests of one key</td><td>after <code>Retry-After</code></td></tr>
        <tr><td>503</td><td>the server is full, loading or shutting down</td><td>after <code>Retry-After</code></td></tr>
        <tr><td>500</td><td>a fault of the server; the message has the request's id</td>
        <td>unless <code>x-should-retry</code> is false</td></tr></table>
        """;

    /// <summary>What a browser may do with the page: show it with its own style.</summary>
    public static string ContentSecurityPolicy { get; } =
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + $"style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'";

    /// <summary>The page.</summary>
    /// <param name="operations">What to show.</param>
    /// <param name="address">The server's address, as the reader reached it, for the examples.</param>
    public static string Of(IReadOnlyList<ApiOperation> operations, string address)
    {
        var page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>DeRa: API reference</title>")
            .Append("<meta name=\"viewport\" content=\"width=device-width\"><style>").Append(Style).Append("</style></head><body>\n")
            .Append("<h1>DeRa: API reference</h1>\n<p>OpenAI-compatible HTTP for a pair of models whose logits are mixed at every token ")
            .Append("with the strength λ that a request names. The same as an <a href=\"/openapi/v1.json\">OpenAPI document</a>. ")
            .Append("Where the server has API keys, send <code>Authorization: Bearer KEY</code>. ")
            .Append("Ranges and defaults are those in force here.</p>\n<ul>\n");
        foreach (var operation in operations)
            page.Append(Invariant, $"<li><a href=\"#{operation.Id}\">{Title(operation)}</a> {Text(operation.Summary)}</li>\n");
        page.Append("</ul>\n");
        foreach (var operation in operations) Append(page, operation, address);
        return page.Append(Errors).Append("</body></html>\n").ToString();
    }

    private static void Append(StringBuilder page, ApiOperation operation, string address)
    {
        page.Append(Invariant, $"<h2 id=\"{operation.Id}\">{Title(operation)}</h2>\n<p>{Text(operation.Summary)}");
        if (operation.IsOpen) page.Append(" Needs no key.");
        page.Append("</p>\n");
        foreach (var example in Examples(operation, address)) page.Append("<pre>").Append(Text(example)).Append("</pre>\n");
        foreach (var form in operation.Forms) Append(page, form);
    }

    /// <summary>Commands that work as they stand, but for paths with a place to fill in.</summary>
    private static IEnumerable<string> Examples(ApiOperation operation, string address)
    {
        if (operation.Method == "GET" && !operation.Path.Contains('{', StringComparison.Ordinal))
            yield return $"curl -s {address}{operation.Path}";
        foreach (var body in operation.Examples)
            yield return $"curl -sN {address}{operation.Path} -H 'content-type: application/json' \\\n  -d '{body}'";
    }

    private static void Append(StringBuilder page, RequestForm form)
    {
        page.Append("<table><tr><th>field</th><th>takes</th><th>default</th><th></th></tr>\n");
        foreach (var field in form.Fields)
            page.Append(Invariant, $"<tr><td><code>{Text(field.Name)}</code></td><td>{Text(SchemaText.Of(field.Schema))}</td>")
                .Append(Invariant, $"<td>{Text(field.IsRequired ? "required" : SchemaText.Default(field.Schema))}</td>")
                .Append(Invariant, $"<td>{Text(field.Text)}</td></tr>\n");
        page.Append(Invariant, $"</table>\n<p class=\"small\">Taken without effect: {Names(form.WithoutEffect)}. ")
            .Append(Invariant, $"Refused where they ask for something: {Names(form.Unsupported)}.</p>\n");
    }

    private static string Title(ApiOperation operation) => $"<code>{operation.Method} {Text(operation.Path)}</code>";

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"<code>{Text(name)}</code>"));

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
