def test_the_tiny_tokenizer_gives_back_any_text_it_reads(tiny_model):
    from transformers import AutoTokenizer  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    text = "Hi there, Yes or No? naïve\n"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer("Yes")["input_ids"]) == 1
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=True)
    assert "<|im_start|>user" in tokenizer.decode(ids["input_ids"])
