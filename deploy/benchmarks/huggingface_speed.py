"""What the official demo does: Hugging Face generate() on the aligned model with a logits processor that runs the reference model
with its own cache; and a bare loop over both models. Same weights. usage: huggingface_speed.py PAIR OUT.jsonl"""
import json, sys, time
import torch
from transformers import LlamaForCausalLM, LogitsProcessor, LogitsProcessorList
try:
    from transformers import DynamicCache
except ImportError:
    from transformers.cache_utils import DynamicCache

PAIR, OUT = sys.argv[1], sys.argv[2]
STRENGTH = .5


def load(name):
    return LlamaForCausalLM.from_pretrained(f"{PAIR}/{name}", dtype=torch.bfloat16, local_files_only=True).to("cuda").eval()


REFERENCE, ALIGNED = load("reference"), load("aligned")


class Mix(LogitsProcessor):
    def __init__(self):
        self.cache, self.seen = DynamicCache(), 0

    def __call__(self, input_ids, scores):
        out = REFERENCE(input_ids=input_ids[:, self.seen:], past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.seen = input_ids.shape[1]
        return STRENGTH * scores + (1 - STRENGTH) * out.logits[:, -1].float()


def generate(prompt, tokens):
    return ALIGNED.generate(
        input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=tokens, min_new_tokens=tokens, do_sample=True,
        temperature=1.0, top_k=0, pad_token_id=0, eos_token_id=None, logits_processor=LogitsProcessorList([Mix()]))


def loop(prompt, tokens):
    caches, step, out = [DynamicCache(), DynamicCache()], prompt, []
    for _ in range(tokens):
        r = REFERENCE(input_ids=step, past_key_values=caches[0], use_cache=True, logits_to_keep=1).logits[:, -1].float()
        a = ALIGNED(input_ids=step, past_key_values=caches[1], use_cache=True, logits_to_keep=1).logits[:, -1].float()
        step = torch.multinomial(torch.softmax(STRENGTH * a + (1 - STRENGTH) * r, -1), 1)
        out.append(step)
    return torch.cat(out, 1)


def timed(call, *arguments):
    torch.cuda.synchronize()
    began = time.perf_counter()
    call(*arguments)
    torch.cuda.synchronize()
    return time.perf_counter() - began


@torch.inference_mode()
def main():
    for name, call in (("loop", loop), ("generate", generate)):
        for batch, context, tokens in ((1, 128, 64), (32, 128, 64), (1, 1024, 64), (32, 1024, 64)):
            try:
                prompt = torch.randint(1, 32000, (batch, context), device="cuda")
                timed(call, prompt, 4)
                prefill = timed(call, prompt, 1)
                whole = timed(call, prompt, tokens + 1)
                row = {"label": "huggingface " + name, "batch": batch, "prompt": context, "strength": STRENGTH,
                       "decode_tokens_per_second": round(batch * tokens / (whole - prefill), 1),
                       "ms_per_token_median": round(1000 * (whole - prefill) / tokens, 3), "first_ms_median": round(1000 * prefill, 1)}
                print(json.dumps(row), flush=True)
                open(OUT, "a").write(json.dumps(row) + "\n")
            except Exception as fault:
                print(f"{name} {batch} {context}: {type(fault).__name__}: {fault}", flush=True)


main()
