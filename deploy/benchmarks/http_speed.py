"""Speeds of a served pair over HTTP (streaming, raw token ids as prompts, temperature 1, end-of-sequence ignored).
usage: http_speed.py URL VOCABULARY LABEL OUT.jsonl [quick]"""
import asyncio, json, random, statistics, sys, time
import aiohttp

URL, VOCABULARY, LABEL, OUT = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
QUICK = len(sys.argv) > 5
SOURCE = random.Random(5)


def ids(count):
    return [SOURCE.randrange(1, VOCABULARY) for _ in range(count)]


async def one(session, prompt, tokens, strength, seed):
    """(seconds to the first event, seconds from it to the last, tokens)"""
    body = {"prompt": prompt, "temperature": 1, "max_tokens": tokens, "alignment_strength": strength, "ignore_eos": True,
            "seed": seed, "stream": True, "stream_options": {"include_usage": True}}
    began, first, last, usage = time.perf_counter(), None, None, None
    async with session.post(URL + "/v1/completions", json=body) as response:
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {(await response.text())[:300]}")
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            usage = event.get("usage") or usage
            if not event.get("choices") or not event["choices"][0].get("text"):
                continue
            last = time.perf_counter()
            first = first or last
    return began, first, last, usage["completion_tokens"]


async def measure(session, batch, strength, prompt, tokens):
    began = time.perf_counter()
    results = await asyncio.gather(*(one(session, ids(prompt), tokens, strength, i) for i in range(batch)))
    firsts = [r[1] for r in results]
    # Decode alone: from the moment when every request has begun to write until the first is done; else the whole span.
    start, end = max(firsts), min(r[2] for r in results)
    spans = [(r[3] - 1) / (r[2] - r[1]) for r in results]
    row = {
        "label": LABEL, "batch": batch, "strength": strength, "prompt": prompt, "tokens": tokens,
        "decode_tokens_per_second": round(sum(r[3] - 1 for r in results) / (max(r[2] for r in results) - min(firsts)), 1),
        "per_request_median": round(statistics.median(spans), 1),
        "ms_per_token_median": round(1000 / statistics.median(spans), 3),
        "first_ms_median": round(1000 * statistics.median(r[1] - r[0] for r in results), 1),
        "first_ms_max": round(1000 * max(r[1] - r[0] for r in results), 1),
        "total_s": round(time.perf_counter() - began, 3), "overlap_s": round(end - start, 3),
    }
    print(json.dumps(row), flush=True)
    open(OUT, "a").write(json.dumps(row) + "\n")


async def main():
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0), read_bufsize=1 << 20) as session:
        await one(session, ids(64), 16, .5, 0)
        await asyncio.gather(*(one(session, ids(64), 16, .5, i) for i in range(8)))
        tokens = 16 if QUICK else 128
        for batch in (1, 8) if QUICK else (1, 8, 32, 64):
            for strength in (0, .5):
                await measure(session, batch, strength, 128, tokens)
        # Prefill: a prompt of 512 tokens and the first token, alone, three times; then 8 at once.
        for strength in (0, .5):
            for _ in range(3):
                await measure(session, 1, strength, 512, 2)
            await measure(session, 8, strength, 512, 2)
        if not QUICK:
            for batch in (1, 32):
                await measure(session, batch, .5, 1024, 64)
        # Strengths that take two models, beside each other.
        for strength in (.3, 1, 1.7):
            await measure(session, 1, strength, 128, tokens)


asyncio.run(main())
