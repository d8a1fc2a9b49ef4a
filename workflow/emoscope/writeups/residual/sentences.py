"""The notebook's sentences; apart from what reads them with a model, for pages need none."""

TEXTS = {
    "text1": "Hello, my dog is cute",
    "text2": "Oh, I love ice cream so much!",
    "text3": "I am not sure what you are saying",
}
