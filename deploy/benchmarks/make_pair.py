"""Writes a pair of random Llama checkpoints: aligned = reference + noise relative to each tensor's standard deviation, of a size
found by bisection so that a guess by one model equals the mixture's token (strength .5, shared Gumbel noise) about .91 of the time.
usage: make_pair.py TARGET TOKENIZER_FOLDER [--shape 1b|7b|tiny] [--device cuda] [--agreement .91]"""
import argparse, json, os, struct, time
import torch

SHAPES = {
    "tiny": dict(layers=2, hidden=64, heads=4, kv=2, inner=160, vocab=4096),
    "1b": dict(layers=22, hidden=2048, heads=32, kv=4, inner=5632, vocab=32000),
    "7b": dict(layers=32, hidden=4096, heads=32, kv=32, inner=11008, vocab=32000),
}


def weights(s, device):
    head = s["hidden"] // s["heads"]
    gen = torch.Generator(device=device).manual_seed(1)
    rand = lambda *size: (torch.randn(*size, generator=gen, device=device, dtype=torch.float32) * .02).to(torch.bfloat16)
    ones = lambda: torch.ones(s["hidden"], device=device, dtype=torch.bfloat16)
    w = {"model.embed_tokens.weight": rand(s["vocab"], s["hidden"])}
    for i in range(s["layers"]):
        p = f"model.layers.{i}."
        w[p + "input_layernorm.weight"] = ones()
        w[p + "self_attn.q_proj.weight"] = rand(s["heads"] * head, s["hidden"])
        w[p + "self_attn.k_proj.weight"] = rand(s["kv"] * head, s["hidden"])
        w[p + "self_attn.v_proj.weight"] = rand(s["kv"] * head, s["hidden"])
        w[p + "self_attn.o_proj.weight"] = rand(s["hidden"], s["heads"] * head)
        w[p + "post_attention_layernorm.weight"] = ones()
        w[p + "mlp.gate_proj.weight"] = rand(s["inner"], s["hidden"])
        w[p + "mlp.up_proj.weight"] = rand(s["inner"], s["hidden"])
        w[p + "mlp.down_proj.weight"] = rand(s["hidden"], s["inner"])
    w["model.norm.weight"] = ones()
    w["lm_head.weight"] = rand(s["vocab"], s["hidden"])
    return w


def noisy(w, size):
    out = {}
    for i, (name, t) in enumerate(w.items()):
        std = t.float().std()
        if std == 0:
            out[name] = t
            continue
        gen = torch.Generator(device=t.device).manual_seed(1000 + i)
        noise = torch.randn(t.shape, generator=gen, device=t.device, dtype=torch.float32)
        out[name] = (t.float() + noise * (size * std)).to(torch.bfloat16)
    return out


def rms(x, weight):
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-5)).to(x.dtype) * weight


def logits(w, s, ids):
    n, head = ids.shape[0], s["hidden"] // s["heads"]
    x = w["model.embed_tokens.weight"][ids]
    freq = 1 / 10000 ** (torch.arange(0, head, 2, device=x.device).float() / head)
    angle = torch.arange(n, device=x.device).float()[:, None] * freq
    angle = torch.cat([angle, angle], -1)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    turn = lambda t: t * cos + torch.cat([-t[..., head // 2:], t[..., :head // 2]], -1) * sin
    mask = torch.full((n, n), float("-inf"), device=x.device).triu(1)
    for i in range(s["layers"]):
        p = f"model.layers.{i}."
        h = rms(x, w[p + "input_layernorm.weight"])
        q = turn((h @ w[p + "self_attn.q_proj.weight"].T).view(n, s["heads"], head).transpose(0, 1))
        k = turn((h @ w[p + "self_attn.k_proj.weight"].T).view(n, s["kv"], head).transpose(0, 1))
        v = (h @ w[p + "self_attn.v_proj.weight"].T).view(n, s["kv"], head).transpose(0, 1)
        k, v = (t.repeat_interleave(s["heads"] // s["kv"], 0) for t in (k, v))
        a = torch.softmax((q @ k.transpose(1, 2)).float() / head ** .5 + mask, -1).to(x.dtype) @ v
        x = x + a.transpose(0, 1).reshape(n, -1) @ w[p + "self_attn.o_proj.weight"].T
        h = rms(x, w[p + "post_attention_layernorm.weight"])
        h = torch.nn.functional.silu(h @ w[p + "mlp.gate_proj.weight"].T) * (h @ w[p + "mlp.up_proj.weight"].T)
        x = x + h @ w[p + "mlp.down_proj.weight"].T
    return (rms(x, w["model.norm.weight"]) @ w["lm_head.weight"].T).float()


def agreement(a, b):
    """How often the argmax of one model's noisy logits is the mixture's, over both models and 8 draws of the noise."""
    gen = torch.Generator(device=a.device).manual_seed(7)
    hits = []
    for _ in range(8):
        g = -torch.log(-torch.log(torch.rand(a.shape, generator=gen, device=a.device).clamp(1e-9, 1 - 1e-7)))
        mixed = ((a + b) / 2 + g).argmax(-1)
        hits += [((m + g).argmax(-1) == mixed).float().mean().item() for m in (a, b)]
    return sum(hits) / len(hits)


def write(folder, w, s, tokenizer):
    os.makedirs(folder, exist_ok=True)
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, t in w.items():
        size = t.numel() * 2
        header[name] = {"dtype": "BF16", "shape": list(t.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for t in w.values():
            file.write(memoryview(t.contiguous().cpu().view(torch.int16).numpy()).cast("B"))
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 0,
        "hidden_act": "silu", "hidden_size": s["hidden"], "intermediate_size": s["inner"], "num_hidden_layers": s["layers"],
        "num_attention_heads": s["heads"], "num_key_value_heads": s["kv"], "head_dim": s["hidden"] // s["heads"],
        "vocab_size": s["vocab"], "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": False,
    }
    json.dump(config, open(os.path.join(folder, "config.json"), "w"))
    t = json.load(open(os.path.join(tokenizer, "tokenizer.json")))
    for i in range(len(t["model"]["vocab"]), s["vocab"]):
        t["model"]["vocab"][f"zq{i}"] = i
    json.dump(t, open(os.path.join(folder, "tokenizer.json"), "w"), ensure_ascii=False)
    c = json.load(open(os.path.join(tokenizer, "tokenizer_config.json")))
    c["model_max_length"] = 4096
    json.dump(c, open(os.path.join(folder, "tokenizer_config.json"), "w"))
    json.dump({"bos_token_id": 0, "eos_token_id": 0}, open(os.path.join(folder, "generation_config.json"), "w"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("tokenizer")
    parser.add_argument("--shape", default="1b")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--agreement", type=float, default=.91)
    options = parser.parse_args()
    began, s = time.time(), SHAPES[options.shape]
    with torch.no_grad():
        reference = weights(s, options.device)
        ids = torch.randint(1, s["vocab"], (256,), generator=torch.Generator().manual_seed(3)).to(options.device)
        a, low, high = logits(reference, s, ids), 0.0, 2.0
        for _ in range(9):
            size = (low + high) / 2
            aligned = noisy(reference, size)
            right = agreement(a, logits(aligned, s, ids))
            print(f"noise {size:.4f}: guesses right {right:.4f}", flush=True)
            if abs(right - options.agreement) < .004:
                break
            low, high = (size, high) if right > options.agreement else (low, size)
        p = torch.softmax(a, -1)
        print(f"entropy {-(p * p.clamp_min(1e-30).log()).sum(-1).mean().item():.2f} nats; calibrated after {time.time() - began:.1f} s", flush=True)
        write(os.path.join(options.target, "reference"), reference, s, options.tokenizer)
        write(os.path.join(options.target, "aligned"), aligned, s, options.tokenizer)
    print(f"written after {time.time() - began:.1f} s: noise {size:.4f}, guesses right {right:.4f}, NaN {torch.isnan(a).any().item()}")


main()
