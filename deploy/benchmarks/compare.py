"""DeRa and llama.cpp's library on the same weights: a random pair is written, exported to GGUF, and both programs run it one after the
other, several times. Prints medians and ratios. Needs the .NET SDK; run it from anywhere, and let nothing else run.
usage: compare.py [--size 110m] [--dtype bfloat16|float16|float32] [--times 3] [--batch 1,2,4,8] [--prompt 512] [--threads 1,2]
  [--tokens N] [--rounds N] [--avx auto|avx2|avx512] [--folder DIR] [--json FILE]"""
import argparse, collections, json, os, pathlib, platform, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DERA = ["dotnet", str(ROOT / "src/DeRa.Cli/bin/Release/net10.0/dera.dll")]
PEER = ["dotnet", "run", str(ROOT / "deploy/benchmarks/llama_cpp.cs"), "--"]


def run(*command):
    print("+", " ".join(map(str, command)), file=sys.stderr, flush=True)
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}this command failed with {done.returncode}")
    return done.stdout


def ours(report):
    """Tokens/s by way and case, from the file that 'dera bench steps --json' writes."""
    prompt = report["options"]["prompt_tokens"]
    figures = {(f["way"], "decode", f["batch"]): f["tokens_per_second"] for f in report["decode"] if f["context"] == 128}
    figures.update({(f["way"], "prefill", prompt): f["tokens_per_second"] for f in report["prefill"]})
    return figures


def peers(report):
    """Tokens/s by settings and case, from the file that 'llama_cpp.cs measure --json' writes."""
    return {(f"{f['threads']} threads, flash attention {'on' if f['flash_attention'] else 'off'}, n_ubatch {f['micro_batch']}",
             f["what"], f["tokens"]): f["tokens_per_second"] for f in report["results"]}


def machine():
    names = {line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")} \
        if os.path.exists("/proc/cpuinfo") else set()
    processor = ", ".join(sorted(names)) or platform.processor() or "unknown processor"
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def best(figures, what, tokens, way=None):
    """The median and the way of the fastest that was measured."""
    return max((statistics.median(values), name) for (name, *case), values in figures.items()
               if case == [what, tokens] and way in (None, name))


def print_table(cases, here, there):
    """Prints a line a case, then where llama.cpp is the faster one."""
    print("| tokens/s of the pair | DeRa | DeRa, in turns | llama.cpp, one model after the other | its settings | ratio | in turns |")
    print("|---|---|---|---|---|---|---|")
    slower = []
    for what, tokens in cases:
        peer, settings = best(there, what, tokens)
        ways = ["pair", "pair in turns"] if what == "decode" else ["pair"]
        values = [best(here, what, tokens, way)[0] for way in ways]
        slower += [f"{what} {tokens}{way.removeprefix('pair')} ({value / peer:.2f})" for way, value in zip(ways, values) if value < peer]
        cells = [f"{value:.1f}" for value in values] + [""] * (2 - len(values)) + [f"{peer:.1f}", settings]
        ratios = [f"{value / peer:.2f}" for value in values] + [""] * (2 - len(values))
        print(f"| {what} {tokens} | {' | '.join(cells + ratios)} |")
    print(f"\nSlower than llama.cpp: {', '.join(slower) or 'nothing'}.")


def positive(text):
    if (number := int(text)) < 1:
        raise ValueError
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="110m")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--times", type=positive, default=3, help="how often both run")
    parser.add_argument("--batch", default="1,2,4,8", help="sequences that decode at once")
    parser.add_argument("--prompt", type=positive, default=512, help="tokens of the prompt that is read")
    parser.add_argument("--threads", help="of llama.cpp, such as 1,2 (default: 1, 2 and the number of cores)")
    parser.add_argument("--tokens", type=positive, help="that a sequence decodes in a round (default: each program's own)")
    parser.add_argument("--rounds", type=positive, help="of each run (default: each program's own)")
    parser.add_argument("--avx", default="auto", choices=["auto", "avx2", "avx512"])
    parser.add_argument("--folder", type=pathlib.Path,
                        help="keeps pair and figures, for further runs with the same --size (default: a temporary one, removed)")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dera-compare-") as temporary:
        result = compare(arguments, arguments.folder.absolute() if arguments.folder else pathlib.Path(temporary))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


def compare(arguments, folder):
    run("dotnet", "build", "-c", "Release", "-v", "quiet", ROOT / "src/DeRa.Cli")
    run("dotnet", "build", "-v", "quiet", ROOT / "deploy/benchmarks/llama_cpp.cs")
    if not (folder / "reference").exists():
        run(*DERA, "bench", "pair", arguments.size, "--output", folder)
    for model in ("reference", "aligned"):
        run(*DERA, "export-gguf", folder / model, "--output", folder / f"{model}.gguf", "--dtype", arguments.dtype, "--force")
    both = [part for name in ("tokens", "rounds") if (value := getattr(arguments, name)) for part in (f"--{name}", value)]
    both += ["--batch", arguments.batch, "--prompt", arguments.prompt]
    threads = ["--threads", arguments.threads] if arguments.threads else []
    here, there = collections.defaultdict(list), collections.defaultdict(list)
    for i in range(arguments.times):
        ours_json, peer_json = folder / f"ours-{i}.json", folder / f"peer-{i}.json"
        run(*DERA, "bench", "steps", "--reference", folder / "reference", "--aligned", folder / "aligned", "--dtype", arguments.dtype,
            "--context", 128, *both, "--json", ours_json)
        run(*PEER, "measure", folder / "reference.gguf", folder / "aligned.gguf", "--avx", arguments.avx, *both, *threads,
            "--json", peer_json)
        peer = json.loads(peer_json.read_text())
        for figures, all_figures in ((ours(json.loads(ours_json.read_text())), here), (peers(peer), there)):
            for key, value in figures.items():
                all_figures[key].append(value)
    version = run(*DERA, "--version").strip()
    print(f"{arguments.size} {arguments.dtype}, medians of {arguments.times} runs each, in turns; {machine()}")
    print(f"DeRa {version}; {peer['library']}\n")
    print_table([("decode", int(batch)) for batch in arguments.batch.split(",")] + [("prefill", arguments.prompt)], here, there)
    return {"machine": machine(), "dera": version, "library": peer["library"], "size": arguments.size, "dtype": arguments.dtype,
            "ours": {" / ".join(map(str, key)): values for key, values in here.items()},
            "peer": {" / ".join(map(str, key)): values for key, values in there.items()}}


main()
