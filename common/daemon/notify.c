/* notify.c - what systemd is told; without it nothing happens. The only place that knows sd-daemon.h. */
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "daemon/daemon_inner.h"

void notify_state(const char *state)
{
	(void)sd_notify(0, state); /* nobody listens when it is not systemd that started us, ignoring */
}

void notify_reloading(void)
{
	char state[80];
	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)av_clock_monotonic_us());
	notify_state(state);
}

int64_t notify_watchdog_ms(void)
{
	uint64_t microseconds = 0;
	return sd_watchdog_enabled(0, &microseconds) > 0 ? (int64_t)(microseconds / 1000) : 0;
}
