/* hooks.c - what a service may do on the loop thread (service.h) */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_inner.h"

#define INNER_MOST 100000u

void *av_daemon_loop(struct av_daemon *d)
{
	return &d->loop;
}

struct av_store *av_daemon_store(struct av_daemon *d)
{
	return d->store;
}

struct av_keystore *av_daemon_keys(struct av_daemon *d)
{
	return d->keys;
}

const Avvik__V1__Settings *av_daemon_settings(const struct av_daemon *d)
{
	return d->settings;
}

const char *av_daemon_state(const struct av_daemon *d)
{
	return d->settings->state;
}

int64_t av_daemon_now_ms(const struct av_daemon *d)
{
	return av_clock_now_ms(&d->clock);
}

void *av_daemon_user(struct av_daemon *d)
{
	return d->user;
}

void av_daemon_set_user(struct av_daemon *d, void *user)
{
	d->user = user;
}

int av_daemon_post(struct av_daemon *d, unsigned int kind, struct av_bytes data)
{
	size_t most = (size_t)d->settings->limits->memory_megabytes * 1024 * 1024 / 4;
	if (d->inner_count >= INNER_MOST || d->inner_bytes + data.size > most)
		return AV_BUSY;
	struct inner *inner = malloc(sizeof *inner + data.size);
	if (!inner)
		return AV_MEMORY;
	*inner = (struct inner){.kind = kind,
		.number = ++d->inner_numbers,
		.arrived_at_ms = av_daemon_now_ms(d),
		.size = data.size};
	if (data.size > 0)
		memcpy(inner->data, data.data, data.size);
	if (d->inner_last)
		d->inner_last->next = inner;
	else
		d->inner_first = inner;
	d->inner_last = inner;
	d->inner_count++;
	d->inner_bytes += data.size;
	loop_kick(d);
	return AV_OK;
}

int av_daemon_publish(struct av_daemon *d, struct av_bytes topic, struct av_bytes body)
{
	return d->stream ? av_socket_publish(d->stream, topic, body) : AV_NOTHING;
}
