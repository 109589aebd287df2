import pytest

from app.answering.support import Claim, LexicalSupport
from app.answering.text.overlap import Overlap
from retriever.encoder import HashingEncoder

QUOTE = "Henry Winstanley built the first tower in 1698."


@pytest.fixture
def support(index, encoder) -> LexicalSupport:
    return LexicalSupport(Overlap(index.lexical), encoder)


def claim(answer="Henry Winstanley", quote=QUOTE, question="who built the first Eddystone tower") -> Claim:
    return Claim(question, answer, "Eddystone Lighthouse", quote)


def test_a_quote_with_the_answer_supports_more_than_one_beside_it(support):
    right, beside = support.score([claim(), claim(quote="A great storm destroyed it in 1703.")])
    assert right > 0.5 > beside == 0.0


def test_an_answer_half_in_the_quote_is_supported_about_half_as_much(support):
    whole, half = support.score([claim("Winstanley"), claim("Winstanley Smeaton")])
    assert 0 < half < whole


def test_a_quote_on_another_subject_supports_less(support):
    about, other = support.score([claim(), claim(question="who composed the ninth symphony")])
    assert about > 2 * other


def test_a_claim_scores_the_same_alone_and_in_company(support):
    assert support.score([claim()])[0] == pytest.approx(support.score([claim("1698"), claim()])[1], abs=1e-6)
    assert support.score([]) == []


def test_what_claims_share_is_encoded_once(index):
    class Counting(HashingEncoder):
        def __init__(self):
            super().__init__()
            self.encoded = []

        def encode_passages(self, texts):
            self.encoded.append(list(texts))
            return super().encode_passages(texts)

    counting = Counting()
    claims = [claim(), claim("1698"), claim(), claim(quote="A great storm destroyed it in 1703.")]
    scores = LexicalSupport(Overlap(index.lexical), counting).score(claims)
    assert [len(texts) for texts in counting.encoded] == [2, 2]
    alone = LexicalSupport(Overlap(index.lexical), HashingEncoder())
    assert scores == pytest.approx([alone.score([one])[0] for one in claims])
