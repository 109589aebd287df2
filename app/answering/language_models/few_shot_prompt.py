"""The open-book prompt: worked examples, then a passage and the question about it."""

from dataclasses import dataclass

NO_ANSWER = "not in the passage"
STOP = "\n"
_TITLE = "Title:"


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example. ``answer`` None: the passage does not tell."""

    title: str
    passage: str
    question: str
    answer: str | None


# Written for this prompt. The topics are reserved: nothing in the documentation, demo or tests asks about them.
EXAMPLES = (
    Example(
        "Marie Curie",
        "Marie Curie was born in Warsaw in 1867 and did her research in Paris. She shared the physics prize of 1903 "
        "with Pierre Curie and Henri Becquerel, and in 1911 she alone was given the prize for chemistry.",
        "Who did Marie Curie share the Nobel Prize in physics with?",
        "Pierre Curie and Henri Becquerel",
    ),
    Example(
        "Mozambique",
        "Mozambique lies on the south-eastern coast of Africa, across the sea from Madagascar. Portugal ruled it "
        "until 25 June 1975, when it became independent. Maputo, in the far south, is its capital.",
        "When did Mozambique become independent?",
        "25 June 1975",
    ),
    Example(
        "Saxophone",
        "The saxophone is made of brass, yet it counts as a woodwind because its sound comes from a reed. "
        "Military bands were the first to take it up, and jazz later made it famous.",
        "How many keys does a tenor saxophone have?",
        None,
    ),
    Example(
        "Photosynthesis",
        "In photosynthesis plants use the energy of light to turn water and carbon dioxide into sugar. It happens "
        "in the chloroplasts, whose green pigment, chlorophyll, absorbs mostly red and blue light.",
        "Where in the plant cell does photosynthesis take place?",
        "the chloroplasts",
    ),
    Example(
        "Amazon River",
        "The Amazon carries more water than any other river. Its sources are high in the Andes of Peru, and it "
        "crosses Brazil to reach the Atlantic Ocean about 6,400 kilometres further on.",
        "How long is the Amazon River?",
        "about 6,400 kilometres",
    ),
)


def prefix(examples: tuple[Example, ...] = EXAMPLES) -> str:
    """The beginning that all prompts share, kept encoded apart from what follows.

    It ends with a word, where a token ends in any tokenizer: two line ends may be one token at the end of a text, and
    two before a word. A rule of dashes between the examples was tried instead of the blank line, and answered worse.
    """
    return _TITLE + "".join(
        f"{prompt(example.title, example.passage, example.question)} {example.answer or NO_ANSWER}\n\n{_TITLE}"
        for example in examples
    )


def prompt(title: str, evidence: str, question: str) -> str:
    """What follows the prefix for one passage, from its title on: the model writes on after its last character."""
    return f" {one_line(title)}\nPassage: {one_line(evidence)}\nQuestion: {asked(question)}\nAnswer:"


def asked(question: str) -> str:
    """The question as the examples spell theirs: a capital first, a question mark last unless it ends already."""
    question = one_line(question)
    return question[:1].upper() + question[1:] + ("" if question.endswith(("?", ".", "!")) else "?")


def one_line(text: str) -> str:
    """The text with every run of white space as one space: a line end would end the passage."""
    return " ".join(text.split())
