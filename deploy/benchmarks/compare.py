"""DeRa and llama.cpp's library on the same weights: a random pair is written, exported to GGUF, and both programs run it one after the
other, several times. Prints medians and ratios. Needs the .NET SDK; run it from anywhere, and let nothing else run.
usage: compare.py [--size 110m] [--times 3] [--dtype bfloat16|float16|float32] [--avx auto|avx2|avx512] [--folder DIR] [--json FILE]"""
import argparse, collections, json, os, pathlib, platform, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DERA = ["dotnet", str(ROOT / "src/DeRa.Cli/bin/Release/net10.0/dera.dll")]
PEER = ["dotnet", "run", str(ROOT / "deploy/benchmarks/llama_cpp.cs"), "--"]
BATCHES = [1, 2, 4, 8]
CASES = [("decode", batch) for batch in BATCHES] + [("prefill", 512)]


def run(*command):
    print("+", " ".join(map(str, command)), file=sys.stderr, flush=True)
    return subprocess.run([str(part) for part in command], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout


def ours(report):
    """Tokens/s by way and case, from the file that 'dera bench steps --json' writes."""
    figures = {(f["way"], "decode", f["batch"]): f["tokens_per_second"] for f in report["decode"] if f["context"] == 128}
    figures.update({(f["way"], "prefill", 512): f["tokens_per_second"] for f in report["prefill"]})
    return figures


def peers(report):
    """Tokens/s by settings and case, from the file that 'llama_cpp.cs measure --json' writes."""
    return {(f"{f['threads']} threads, flash attention {'on' if f['flash_attention'] else 'off'}, n_ubatch {f['micro_batch']}",
             f["what"], f["tokens"]): f["tokens_per_second"] for f in report["results"]}


def machine():
    names = {line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")} \
        if os.path.exists("/proc/cpuinfo") else {platform.processor()}
    return f"{', '.join(sorted(names))}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def best(figures, what, tokens, ways=None):
    """The way and the tokens/s of the fastest that was measured; None where there is none."""
    found = [(statistics.median(values), way) for (way, *case), values in figures.items()
             if case == [what, tokens] and (ways is None or way in ways)]
    return max(found, default=(None, None))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="110m")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--avx", default="auto", choices=["auto", "avx2", "avx512"])
    parser.add_argument("--folder", type=pathlib.Path, help="takes the pair and the figures; kept (default: a temporary one, removed)")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dera-compare-") as temporary:
        result = compare(arguments, arguments.folder.absolute() if arguments.folder else pathlib.Path(temporary))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


def compare(arguments, folder):
    run("dotnet", "build", "-c", "Release", "-v", "quiet", ROOT / "src/DeRa.Cli")
    run("dotnet", "build", "-v", "quiet", ROOT / "deploy/benchmarks/llama_cpp.cs")
    run(*DERA, "bench", "pair", arguments.size, "--output", folder)
    models = ["reference", "aligned"]
    for model in models:
        run(*DERA, "export-gguf", folder / model, "--output", folder / f"{model}.gguf", "--dtype", arguments.dtype, "--force")
    here, there = collections.defaultdict(list), collections.defaultdict(list)
    for i in range(arguments.times):
        ours_json, peer_json = folder / f"ours-{i}.json", folder / f"peer-{i}.json"
        run(*DERA, "bench", "steps", "--reference", folder / "reference", "--aligned", folder / "aligned", "--dtype", arguments.dtype,
            "--batch", ",".join(map(str, BATCHES)), "--context", 128, "--prompt", 512, "--json", ours_json)
        run(*PEER, "measure", folder / "reference.gguf", folder / "aligned.gguf", "--avx", arguments.avx, "--json", peer_json)
        peer = json.loads(peer_json.read_text())
        for figures, all_figures in ((ours(json.loads(ours_json.read_text())), here), (peers(peer), there)):
            for key, value in figures.items():
                all_figures[key].append(value)
    version = run(*DERA, "--version").strip()
    print(f"{arguments.size} {arguments.dtype}, medians of {arguments.times} runs each, in turns; {machine()}")
    print(f"DeRa {version}; {peer['library']}\n")
    print("| tokens/s of the pair | DeRa | DeRa, in turns | llama.cpp, one model after the other | its settings | ratio | in turns |")
    print("|---|---|---|---|---|---|---|")
    for what, tokens in CASES:
        (pair, _), (turns, _), (peer_best, settings) = (
            best(here, what, tokens, ["pair"]), best(here, what, tokens, ["pair in turns"]), best(there, what, tokens))
        cells = [f"{value:.1f}" if value else "" for value in (pair, turns, peer_best)]
        ratios = [f"{value / peer_best:.2f}" if value else "" for value in (pair, turns)]
        print(f"| {what} {tokens} | {' | '.join(cells)} | {settings} | {' | '.join(ratios)} |")
    return {"machine": machine(), "dera": version, "library": peer["library"], "size": arguments.size, "dtype": arguments.dtype,
            "ours": {" / ".join(map(str, key)): values for key, values in here.items()},
            "peer": {" / ".join(map(str, key)): values for key, values in there.items()}}


main()
