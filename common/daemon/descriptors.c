/* descriptors.c - how many files the process may open, and how many connections that is enough for
 *
 * ZeroMQ accepts whoever comes, before anybody can say who it is, and at the end of the descriptors it tries
 * again and again. So connections are bounded by the descriptors too: twice the limit are let as far as the
 * handshake (see bus_is_full), and what the daemon needs for its own files stays free beside them.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/daemon_inner.h"

#define OWN_DESCRIPTORS 96u /* loop, ZeroMQ's own, stores, a backup, mails under way */
#define CONNECTIONS_LEAST 16u

unsigned int descriptors_connections(unsigned int wanted, unsigned int *ret_descriptors)
{
	struct rlimit limit;
	*ret_descriptors = 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(
		RLIMIT_NOFILE, &limit); /* as many as we may have; else as many as we have, ignoring */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	*ret_descriptors = (unsigned int)AV_MIN(limit.rlim_cur, (rlim_t)UINT32_MAX);
	if (*ret_descriptors < OWN_DESCRIPTORS + 2 * CONNECTIONS_LEAST)
		return 0;
	return AV_MIN(wanted, (*ret_descriptors - OWN_DESCRIPTORS) / 2);
}

unsigned int descriptors_least(void)
{
	return OWN_DESCRIPTORS + 2 * CONNECTIONS_LEAST;
}

bool descriptors_left(void)
{
	int probe = dup(STDERR_FILENO);
	if (probe < 0)
		return false;
	close(probe);
	return true;
}
