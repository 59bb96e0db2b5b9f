"""Who hears of a backup that fails or is silent: pings, mail and other messages. None of them names a patient."""
