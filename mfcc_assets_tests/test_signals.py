"""Signals that end a program."""

import os
import signal

import pytest

from mfcc_assets.signals import ended_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_like_an_error_and_the_former_handler_returns(number: signal.Signals) -> None:
    former = signal.getsignal(number)

    with pytest.raises(SystemExit) as ended, ended_by_signals():
        os.kill(os.getpid(), number)

    assert ended.value.code == 128 + number
    assert signal.getsignal(number) is former
