"""Every way a request can be refused or the program can fail.

SlowpingError
├── Refused                     the request cannot be honoured; the sender can do something
│   ├── NoCredential            no API key was given
│   ├── MalformedCredential     a key was given in the wrong form
│   ├── EmptyCredential         the right form, but no key in it
│   ├── UnknownApiKey           not a live key, or one without the scope that is asked for
│   ├── Forbidden               a live key that may not do this
│   │   ├── ForeignProject      ... to this project
│   │   └── ForeignOrigin       ... from this web page
│   ├── RateLimited             too many requests this minute
│   │   └── TooManyGuesses      ... with wrong API keys, from one address
│   ├── QuotaReached            too many events this month
│   ├── NoDestination           the project has no channel (of the kind that is asked for)
│   ├── TooLarge                the body is over the size limit
│   ├── SlowBody                the body did not arrive in time
│   ├── UnsupportedEncoding     the body is compressed
│   ├── InvalidJson             the body is not JSON, or nests too deep
│   ├── InvalidInput            the body is JSON, but not what is asked for
│   ├── UnknownCategory         no category of that name
│   ├── IdempotencyKeyReused    the key was used with another request
│   ├── NotFound                no such project, category, channel, key, event or delivery
│   ├── NameTaken               another one has that name
│   ├── WrongState              the thing exists, but not in a state that allows this
│   ├── UnknownPath             nothing answers at that path
│   └── WrongMethod             something does, but not to this method
├── Unavailable                 the server cannot do it now; the same request may work later
├── StoreUnusable               the database cannot be opened; the file is left as it was
├── ConfigError                 the configuration cannot be used
├── Unreachable                 no server answers at the address (seen by clients only)
└── UnexpectedAnswer            something answers there that is no slowping server (clients only)

Errors are conditions and carry data; `str()` is the sentence for a person. Each door words them
for its own clients.
"""

from collections.abc import Sequence


class SlowpingError(Exception):
    """Anything that slowping itself reports as wrong."""


class Refused(SlowpingError):
    """The request cannot be honoured as it is."""


class NoCredential(Refused):
    """No API key was given."""

    def __str__(self) -> str:
        return "No API key was given. Send it as 'Authorization: Bearer <key>'."


class MalformedCredential(Refused):
    """An API key was given in the wrong form."""

    def __str__(self) -> str:
        return "The API key has the wrong form. Send it as 'Authorization: Bearer <key>'."


class EmptyCredential(Refused):
    """The header is there and well formed, but holds no key."""

    def __str__(self) -> str:
        return "The API key is empty."


class UnknownApiKey(Refused):
    """The key is unknown, revoked or expired, or lacks the scope."""

    def __str__(self) -> str:
        return "This API key is unknown, expired or revoked."


class Forbidden(Refused):
    """The key is live but may not do this."""


class ForeignProject(Forbidden):
    """The key may not use this project, or there is no such project."""

    def __init__(self, project: str) -> None:
        super().__init__(f"This API key may not use the project '{project}', or there is none.")
        self.project = project


class ForeignOrigin(Forbidden):
    """The request comes from a web page that the project or key does not allow."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"The origin '{origin}' is not allowed.")
        self.origin = origin


class RateLimited(Refused):
    """The key has used up its `limit` requests of this minute.

    `retry_after_s` is the rest of the minute, `reset_at` its end in Unix seconds.
    """

    def __init__(self, retry_after_s: int, *, limit: int = 0, reset_at: int = 0) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s
        self.limit = limit
        self.reset_at = reset_at


class TooManyGuesses(RateLimited):
    """Too many wrong API keys came from this address in a minute; the right one still works."""

    def __init__(self, retry_after_s: int, *, limit: int = 0, reset_at: int = 0) -> None:
        super().__init__(retry_after_s, limit=limit, reset_at=reset_at)
        self.args = (
            "This API key is wrong, and so were too many others from this address. A right one "
            f"works at once; wrong ones are counted anew in {retry_after_s} s.",
        )


class QuotaReached(Refused):
    """The project has used up its events of this month."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"This project has reached its {limit} events of this month.")
        self.limit = limit


class NoDestination(Refused):
    """The project has no channel; `kind` names the kind that is missing."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"This project has no channel of kind {kind}.")
        self.kind = kind


class TooLarge(Refused):
    """The body is larger than the limit."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes.")
        self.limit_bytes = limit_bytes


class SlowBody(Refused):
    """The body did not arrive in time."""

    def __str__(self) -> str:
        return "The request body did not arrive in time."


class UnsupportedEncoding(Refused):
    """The body is compressed, which no dialect asks for."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"The content encoding '{encoding}' is not supported. Send plain JSON.")
        self.encoding = encoding


class InvalidJson(Refused):
    """The body is not JSON, or nests deeper or in more places than the limits."""

    def __str__(self) -> str:
        return "The request body is not valid JSON."


class InvalidInput(Refused):
    """The body is JSON but not what is asked for.

    `problem` is one sentence for a person; `issues` are in whatever form the dialect that
    raised it uses in its answers.
    """

    def __init__(self, problem: str, issues: Sequence[object] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.issues = issues


class UnknownCategory(Refused):
    """The project has no category of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no category named '{name}'.")
        self.name = name


class IdempotencyKeyReused(Refused):
    """The idempotency key was used before, with another request."""

    def __str__(self) -> str:
        return "Idempotency-Key was already used with a different request."


class NotFound(Refused):
    """There is no such thing, or the key may not see it."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__(f"There is no {noun} '{name}'.")
        self.noun = noun
        self.name = name


class NameTaken(Refused):
    """Another live thing of the same noun has that name."""

    def __init__(self, noun: str, name: str) -> None:
        article = "an" if noun.lower().startswith(tuple("aeiou")) else "a"
        super().__init__(f"There is already {article} {noun} named '{name}'.")
        self.noun = noun
        self.name = name


class WrongState(Refused):
    """The thing exists, but is not in a state that allows this."""


class UnknownPath(Refused):
    """Nothing answers at that path."""

    def __str__(self) -> str:
        return "Nothing answers at this path."


class WrongMethod(Refused):
    """The path exists; `allow` lists the methods it answers to."""

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__(f"This path answers to {', '.join(allow)} only.")
        self.allow = tuple(allow)


class Unavailable(SlowpingError):
    """The server cannot do this now; the same request may work after `retry_after_s` seconds."""

    def __init__(self, reason: str, retry_after_s: int = 5) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class StoreUnusable(SlowpingError):
    """The database cannot be opened as it is; nothing in it was changed."""


class ConfigError(SlowpingError):
    """The configuration cannot be used; the text names the file, the key and the remedy."""


class Unreachable(SlowpingError):
    """No server answers at the address."""


class UnexpectedAnswer(SlowpingError):
    """What answers is no slowping server, or failed in a way it has no words for."""
