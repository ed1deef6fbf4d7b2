from tests.store.conftest import shop

__all__ = ["shop"]
