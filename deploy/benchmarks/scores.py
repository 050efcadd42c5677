"""Scores of texts at many strengths by two served pairs, such as the same one on a CPU and on a GPU.
usage: scores.py URL OTHER_URL. Prints the largest difference of each number, and whether a sweep gives the same texts."""
import json, sys, urllib.request

STRENGTHS = [-.5, 0, .1, .3, .5, .8, 1, 1.5, 2, 3]
ITEMS = [{"prompt": "One day, a dog", "continuation": " ran to the park. He was very happy and played all day."},
         {"prompt": "Lily lost her toy.", "continuation": " She was sad and cried. Then she found it under the bed."},
         {"prompt": "The sun was", "continuation": " hot."}]
SWEEP = {"prompt": "Lily lost her toy.", "max_tokens": 48, "temperature": 0, "alignment_sweep": STRENGTHS}


def post(url, path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)


def numbers(value, path=""):
    """Every number below a name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


first, second = sys.argv[1:3]
body = {"items": ITEMS, "alignment_sweep": STRENGTHS, "per_token": True}
mine, theirs = (list(numbers(post(url, "/v1/realignment/score", body)["items"])) for url in (first, second))
if [name for name, _ in mine] != [name for name, _ in theirs]:
    sys.exit("the responses differ in form")
largest = {}
for (name, a), (_, b) in zip(mine, theirs):
    largest[name] = max(largest.get(name, 0), abs(a - b) / max(1, abs(b)))
print(f"{len(mine)} numbers; largest difference, over the number where that is above 1: "
      + ", ".join(f"{name} {value:.1e}" for name, value in largest.items()))
a, b = ([choice["text"] for choice in post(url, "/v1/completions", SWEEP)["choices"]] for url in (first, second))
print(f"sweep: {sum(x == y for x, y in zip(a, b))} of {len(b)} greedy texts equal")
