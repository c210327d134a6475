"""The diagram of the two layers."""

import re
import xml.etree.ElementTree as ET
from base64 import b64decode

from attention_lab.labs.encoder_decoder.pictures import block_diagram


def test_the_diagram_says_which_parts_are_out():
    for without, says in (
        ((), "with all parts"),
        (("feed_forward", "causal"), "without feed forward, causal"),
    ):
        drawn = block_diagram(without)
        assert f'alt="encoder and decoder layer, {says}"' in drawn
        svg = b64decode(re.search('base64,([^"]+)', drawn)[1]).decode()
        ET.fromstring(svg)
        texts = re.findall(">([^<]+)</text>", svg)
        assert texts.count("feed-forward: out") == (2 if without else 0)
        assert ("self-attention, no mask" in texts) == bool(without)
        assert texts.count("+") == (3 if without else 5)
