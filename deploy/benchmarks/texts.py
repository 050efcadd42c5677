"""Texts (greedy unless told) of a served default pair. usage: texts.py URL record FILE [sampled] | compare FILE [sampled]
sampled: with seeds at temperature 1. compare: one request at a time, then all at once; says how many equal the recorded ones and where the others part."""
import asyncio, json, sys
import aiohttp

PROMPTS = ["One day, a dog", "Lily lost her toy.", "The sun was", "Tom and Sam went to the park"]
STRENGTHS = [-.5, 0, .3, .5, 1, 1.7, 3]


async def one(session, url, prompt, strength):
    body = {"prompt": prompt, "temperature": 0, "max_tokens": 64, "alignment_strength": strength, "ignore_eos": True}
    if "sampled" in sys.argv:
        body |= {"temperature": 1, "seed": 7}
    async with session.post(url + "/v1/completions", json=body) as response:
        answer = await response.json()
        if response.status != 200:
            return f"<{response.status}: {json.dumps(answer)}>"
        return answer["choices"][0]["text"]


def report(what, found, wanted):
    same = sum(found[key] == wanted[key] for key in wanted)
    print(f"{what}: {same} of {len(wanted)} texts equal", flush=True)
    for key in [key for key in wanted if found[key] != wanted[key]][:6]:
        a, b = found[key], wanted[key]
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        print(f"  {key}: part at character {at} of {len(b)}: {a[max(0, at - 12):at + 24]!r}, wanted {b[max(0, at - 12):at + 24]!r}")


async def main():
    url, mode, file = sys.argv[1:4]
    cases = [(p, s) for p in PROMPTS for s in STRENGTHS]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), connector=aiohttp.TCPConnector(limit=0)) as session:
        alone = {f"{p} @ {s}": await one(session, url, p, s) for p, s in cases}
        beside = dict(zip(alone, await asyncio.gather(*(one(session, url, p, s) for p, s in cases))))
        if mode == "record":
            json.dump(alone, open(file, "w"), indent=1)
            report("all at once over one at a time", beside, alone)
            return
        wanted = json.load(open(file))
        report("one at a time over the recorded", alone, wanted)
        report("all at once over the recorded", beside, wanted)
        report("all at once over one at a time", beside, alone)


asyncio.run(main())
