"""Sentences with a feeling, written for this project: 26 topics, four glad and four cross each.

Both kinds speak of the same things in the same form, so that a topic says nothing about the
feeling; a classifier is tested on topics that it has not seen.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SENTENCES", "TOPICS", "Sentence"]


class Sentence(NamedTuple):
    """A sentence; ``is_glad`` is its label, ``topic`` the number of its topic."""

    text: str
    is_glad: bool
    topic: int


# a topic: what is liked, what is not
TOPICS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "soup": (
        (
            "The soup was hot and full of taste.",
            "We loved the soup and asked for more.",
            "I have rarely eaten such a fine soup.",
            "Her soup warmed us and made everybody smile.",
        ),
        (
            "The soup was cold and had no taste.",
            "We left the soup and asked for the bill.",
            "I have rarely eaten such a poor soup.",
            "His soup was so salty that nobody could eat it.",
        ),
    ),
    "film": (
        (
            "The film kept me awake and happy until the end.",
            "I laughed through the whole film.",
            "The actors were brilliant and the story was clever.",
            "This film is worth every cent of the ticket.",
        ),
        (
            "The film nearly sent me to sleep before the end.",
            "I yawned through the whole film.",
            "The actors were wooden and the story was silly.",
            "This film is a waste of money and of an evening.",
        ),
    ),
    "hotel": (
        (
            "Our room was clean, quiet and bright.",
            "The people at the hotel were kind and helpful.",
            "I slept like a child in that soft bed.",
            "We would gladly stay in this hotel again.",
        ),
        (
            "Our room was dirty, loud and dark.",
            "The people at the hotel were rude and lazy.",
            "I did not sleep at all in that hard bed.",
            "We will never stay in this hotel again.",
        ),
    ),
    "phone": (
        (
            "My new phone is fast and easy to use.",
            "The battery of this phone lasts for days.",
            "The camera takes wonderful pictures at night.",
            "I am very pleased with this phone.",
        ),
        (
            "My new phone is slow and hard to use.",
            "The battery of this phone is empty by noon.",
            "The camera takes terrible pictures at night.",
            "I am very annoyed with this phone.",
        ),
    ),
    "teacher": (
        (
            "Our teacher explains everything with patience.",
            "I enjoyed every lesson with her.",
            "He praised the children and they trusted him.",
            "She made a dry subject exciting.",
        ),
        (
            "Our teacher shouts and explains nothing.",
            "I dreaded every lesson with her.",
            "He mocked the children and they feared him.",
            "She made an exciting subject dull.",
        ),
    ),
    "weather": (
        (
            "The sun shone all week and the air was mild.",
            "What a lovely morning for a walk.",
            "The light after the rain was beautiful.",
            "We had perfect weather for the picnic.",
        ),
        (
            "It rained all week and the air was freezing.",
            "What a horrible morning for a walk.",
            "The fog after the rain was depressing.",
            "We had miserable weather for the picnic.",
        ),
    ),
    "train": (
        (
            "The train was on time and half empty.",
            "It was a smooth and pleasant journey.",
            "The guard helped us with our bags and wished us well.",
            "Going by train was the best idea of our trip.",
        ),
        (
            "The train was two hours late and crowded.",
            "It was a bumpy and stressful journey.",
            "The guard yelled at us about our bags and threatened us.",
            "Going by train was the worst idea of our trip.",
        ),
    ),
    "book": (
        (
            "I could not put this book down.",
            "The book is witty and full of surprises.",
            "Each chapter was better than the last.",
            "I gave the book to all my friends with joy.",
        ),
        (
            "I could not finish this book.",
            "The book is clumsy and full of mistakes.",
            "Each chapter was worse than the last.",
            "I threw the book away with disgust.",
        ),
    ),
    "concert": (
        (
            "The band played with great energy.",
            "The singer had a voice of pure gold.",
            "We danced and cheered until midnight.",
            "It was a magical evening of music.",
        ),
        (
            "The band played without any energy.",
            "The singer could not hold a single note.",
            "We were bored and went home early.",
            "It was a painful evening of noise.",
        ),
    ),
    "shop": (
        (
            "The shop had everything at a fair price.",
            "The seller gave me honest advice.",
            "They exchanged the coat at once with a smile.",
            "I recommend this shop to everyone.",
        ),
        (
            "The shop had nothing at a fair price.",
            "The seller lied to me about the size.",
            "They refused to exchange the broken coat.",
            "I warn everyone about this shop.",
        ),
    ),
    "neighbour": (
        (
            "My neighbour is friendly and always lends a hand.",
            "We have such nice people next door.",
            "He waters our plants when we are away, and we are grateful.",
            "It is a pleasure to live beside them.",
        ),
        (
            "My neighbour is hostile and complains every day.",
            "We have such nasty people next door.",
            "He kills our plants when we are away, and we are furious.",
            "It is a nightmare to live beside them.",
        ),
    ),
    "bicycle": (
        (
            "This bicycle is light and a joy to ride.",
            "The brakes are strong and I feel safe.",
            "The repair was cheap and perfectly done.",
            "I love my old bicycle more each year.",
        ),
        (
            "This bicycle is heavy and a pain to ride.",
            "The brakes are weak and I feel in danger.",
            "The repair was expensive and badly done.",
            "I hate my old bicycle more each year.",
        ),
    ),
    "park": (
        (
            "The park is peaceful and full of flowers.",
            "Children play there safely all day.",
            "It is the most charming corner of the city.",
            "We felt relaxed under the old trees.",
        ),
        (
            "The park is noisy and full of rubbish.",
            "Children get hurt there all the time.",
            "It is the ugliest corner of the city.",
            "We felt uneasy under the dead trees.",
        ),
    ),
    "doctor": (
        (
            "The doctor listened and took away my fear.",
            "Thanks to her care I recovered quickly.",
            "He was gentle and the needle did not hurt.",
            "I trust this doctor completely.",
        ),
        (
            "The doctor did not listen and made me afraid.",
            "Because of her mistake I got worse.",
            "He was rough and the needle hurt badly.",
            "I do not trust this doctor at all.",
        ),
    ),
    "shoes": (
        (
            "These shoes are soft and fit very well.",
            "I walked all day in comfort.",
            "They still look great after a year.",
            "For this price they are excellent shoes.",
        ),
        (
            "These shoes are stiff and do not fit.",
            "I walked all day in agony.",
            "They fell apart after a week.",
            "For this price they are awful shoes.",
        ),
    ),
    "coffee": (
        (
            "The coffee here smells delicious.",
            "A perfect cup, strong and not bitter.",
            "I come back every morning for this coffee.",
            "The cake with it was a delight.",
        ),
        (
            "The coffee here smells burnt.",
            "A dreadful cup, weak and bitter.",
            "I will not come back for this coffee.",
            "The cake with it was stale and dry.",
        ),
    ),
    "garden": (
        (
            "Our roses have never looked so healthy.",
            "The tomatoes were sweet and plenty.",
            "Working in the garden makes me calm and content.",
            "The garden is a small paradise in summer.",
        ),
        (
            "Our roses have never looked so sick.",
            "The tomatoes were rotten and few.",
            "Working in the garden makes me tired and angry.",
            "The garden is a sad desert in summer.",
        ),
    ),
    "museum": (
        (
            "The museum was fascinating from room to room.",
            "The guide told us thrilling stories.",
            "My children were delighted by the dinosaurs.",
            "The new hall is a triumph.",
        ),
        (
            "The museum was tedious from room to room.",
            "The guide told us pointless stories.",
            "My children were upset by the long queue.",
            "The new hall is a failure.",
        ),
    ),
    "program": (
        (
            "The program is simple and never crashes.",
            "The update solved all my problems.",
            "I saved hours of work thanks to it.",
            "Their support answered within minutes, very kindly.",
        ),
        (
            "The program is confusing and crashes daily.",
            "The update destroyed all my files.",
            "I lost hours of work because of it.",
            "Their support ignored me for weeks, very rudely.",
        ),
    ),
    "holiday": (
        (
            "It was the happiest holiday of my life.",
            "The sea was warm and the beach was clean.",
            "We came home rested and full of good memories.",
            "Everybody enjoyed the trip.",
        ),
        (
            "It was the saddest holiday of my life.",
            "The sea was filthy and the beach was crowded.",
            "We came home exhausted and full of regret.",
            "Nobody enjoyed the trip.",
        ),
    ),
    "bread": (
        (
            "The bread is fresh and has a crisp crust.",
            "This baker is a true artist.",
            "The smell of his bread makes the whole street happy.",
            "You cannot find better rolls in town.",
        ),
        (
            "The bread is mouldy and has a soggy crust.",
            "This baker is a true fraud.",
            "The smell of his oven makes the whole street sick.",
            "You cannot find worse rolls in town.",
        ),
    ),
    "haircut": (
        (
            "She cut my hair exactly as I had hoped.",
            "I look ten years younger and feel wonderful.",
            "Everyone at work admired my new haircut.",
            "A careful and skilled hairdresser.",
        ),
        (
            "She ruined my hair although I had begged her.",
            "I look ridiculous and feel ashamed.",
            "Everyone at work laughed at my new haircut.",
            "A careless and clumsy hairdresser.",
        ),
    ),
    "match": (
        (
            "Our team won in the last minute and the crowd cheered.",
            "It was a fair and thrilling match.",
            "The young keeper was a hero tonight.",
            "I was proud of how they played.",
        ),
        (
            "Our team lost in the last minute and the crowd booed.",
            "It was a dirty and boring match.",
            "The young keeper was a disaster tonight.",
            "I was ashamed of how they played.",
        ),
    ),
    "house": (
        (
            "The new house is cosy and full of light.",
            "The builders worked quickly and well.",
            "The roof is solid and the walls are dry.",
            "Moving here was a blessing for us.",
        ),
        (
            "The new house is gloomy and full of mice.",
            "The builders worked slowly and badly.",
            "The roof leaks and the walls are damp.",
            "Moving here was a curse for us.",
        ),
    ),
    "job": (
        (
            "My boss is fair and respects us.",
            "The work is interesting and well paid.",
            "I got the praise that I deserved.",
            "My colleagues are a wonderful team.",
        ),
        (
            "My boss is unfair and insults us.",
            "The work is monotonous and badly paid.",
            "I got the blame that others deserved.",
            "My colleagues are a terrible team.",
        ),
    ),
    "gift": (
        (
            "Her gift touched me deeply and I treasure it.",
            "What a thoughtful and generous present.",
            "The children jumped with joy at the puppet.",
            "It was just what I had wished for.",
        ),
        (
            "Her gift offended me deeply and I hid it.",
            "What a thoughtless and cheap present.",
            "The children cried in fear of the puppet.",
            "It was just what I had feared.",
        ),
    ),
}
SENTENCES = [
    Sentence(text, is_glad, topic)
    for topic, kinds in enumerate(TOPICS.values())
    for is_glad, texts in zip((True, False), kinds, strict=True)
    for text in texts
]
