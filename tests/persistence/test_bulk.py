"""What a run of years has written, on both databases."""

from itertools import islice

import pytest
from sqlalchemy import func, select

from benchmarks.persistence import rows as year_of_rows
from crypto_bot.persistence.comparing import lagging
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.models import Model, OHLCVCache, Order, Trade, table_of
from crypto_bot.persistence.projecting import Projector
from tests.persistence.made_rows import RUN


@pytest.mark.slow
def test_two_hundred_thousand_rows_take_seconds(database: Database) -> None:
    """Bulk: what a long run has written, appended, read back, chained and told."""
    with Journal(database, RUN, Projector(database, RUN)) as journal:
        rows = year_of_rows(200_000)
        while batch := list(islice(rows, 512 if database.is_file else 8_192)):
            journal.append(batch)
        assert journal.verify() == 200_000
        assert [row.sequence for row in journal.read(after=199_989)] == list(range(199_990, 200_000))
    assert lagging(database) == []
    with database.read() as connection:
        counted: list[type[Model]] = [Trade, Order, OHLCVCache]
        counts = [connection.scalar(select(func.count()).select_from(table_of(model))) for model in counted]
        assert counts == [10_000, 10_000, 179_999]
        assert connection.scalar(select(func.count()).where(Order.status != "filled")) == 0
