/* bus.c - ZeroMQ sockets on a libuv loop.
 *
 * A ZeroMQ descriptor says "something may have changed", once: it stays silent until ZMQ_EVENTS is read, and
 * any send or receive may swallow the change. So the descriptor only wakes the loop, and the truth is read in
 * every round, of each socket that was woken or used since it was last seen to have nothing (each look is two
 * system calls, and a daemon has a dozen sockets): prepare (before the loop sleeps): is a message waiting
 * anywhere? Then start idle, so that it does not sleep. check (after it slept): stop idle; drain each socket,
 * at most DRAIN_AT_ONCE messages, so that none starves the rest. Callbacks may close any socket, or the bus:
 * what was closed is freed when the round is over.
 */
#include "bus/bus_internal.h"
#include <stdlib.h>
#include <utlist.h>
#include <zmq.h>
#include "base/status.h"
#include "seal/crypto.h"

#define TOLD_EVERY_MS 60000
#define RETRY_MS 10
#define MORE_CONNECTIONS 16u /* beyond the limit, for daemons and administrators */

static void let_go(struct av_bus *bus)
{
	if (--bus->handles == 0 && bus->destroyed) {
		av_principals_unref(&bus->principals);
		free(bus);
	}
}

static void on_handle_closed(uv_handle_t *handle)
{
	let_go(handle->data);
}

static void on_pump_closed(uv_handle_t *handle)
{
	struct pump *pump = handle->data;
	struct av_bus *bus = pump->bus;
	free(pump);
	let_go(bus);
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	pump_wake(poll->data); /* check does the work */
	AV_UNUSED(status);
	AV_UNUSED(events);
}

struct pump *pump_open(struct av_bus *bus, void *zmq)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	int descriptor;
	size_t size = sizeof(descriptor);
	if (!pump || zmq_getsockopt(zmq, ZMQ_FD, &descriptor, &size) != 0 ||
		uv_poll_init(bus->loop, &pump->poll, descriptor) != 0) {
		free(pump);
		zmq_close(zmq);
		return NULL;
	}
	pump->bus = bus;
	pump->zmq = zmq;
	pump->poll.data = pump;
	bus->handles++;
	if (uv_poll_start(&pump->poll, UV_READABLE, on_wake) != 0)
		pump_close(&pump);
	return pump;
}

void pump_close(struct pump **pump)
{
	struct pump *closing = *pump;
	if (!closing)
		return;
	*pump = NULL;
	/* libuv lets go of the descriptor before ZeroMQ closes it. */
	uv_close((uv_handle_t *)&closing->poll, on_pump_closed);
	zmq_close(closing->zmq);
	closing->zmq = NULL;
}

bool pump_look(struct pump *pump)
{
	int events = 0;
	size_t size = sizeof(events);
	bool readable = zmq_getsockopt(pump->zmq, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN);
	pump->empty = !readable;
	return readable;
}

bool pump_readable(struct pump *pump)
{
	return pump && !pump->empty && pump_look(pump);
}

void pump_wake(struct pump *pump)
{
	if (pump)
		pump->empty = false;
}

static bool work_waits(const struct av_bus *bus)
{
	bool waits = pump_readable(bus->zap);
	const struct av_socket *socket;
	/* No short cut: reading ZMQ_EVENTS is also what arms the descriptor of one that is awake again. */
	DL_FOREACH (bus->sockets, socket) {
		waits |= pump_readable(socket->monitor);
		waits |= socket_wants(socket);
	}
	return waits;
}

static void on_idle(uv_idle_t *idle)
{
	AV_UNUSED(idle); /* its being there keeps the loop from sleeping */
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct av_bus *bus = prepare->data;
	if (work_waits(bus))
		uv_idle_start(&bus->idle, on_idle);
}

static void on_check(uv_check_t *check)
{
	struct av_bus *bus = check->data;
	struct av_socket *socket;
	uv_idle_stop(&bus->idle);
	bus->draining = true;
	DL_FOREACH (bus->sockets, socket)
		socket_monitor_drain(socket);
	zap_drain(bus);
	DL_FOREACH (bus->sockets, socket)
		socket_drain(socket);
	bus->draining = false;
	bus_sweep(bus);
}

void bus_sweep(struct av_bus *bus)
{
	struct av_socket *socket, *next;
	if (bus->draining)
		return;
	DL_FOREACH_SAFE(bus->sockets, socket, next)
	{
		if (!socket->closed)
			continue;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it stands in this list */
		DL_DELETE(bus->sockets, socket);
		socket_free(socket);
	}
}

static void on_retry(uv_timer_t *timer)
{
	struct av_bus *bus = timer->data;
	struct av_socket *socket;
	bool all = true;
	DL_FOREACH (bus->sockets, socket)
		if (!socket->closed && !socket->pump)
			all &= stream_bind_again(socket);
	if (all)
		uv_timer_stop(timer);
}

int av_bus_create(
	uv_loop_t *loop, const struct av_bus_options *options, struct av_bus **ret_bus, const char **ret_why)
{
	struct av_bus *bus = calloc(1, sizeof(*bus));
	if (!bus) {
		*ret_why = "out of memory";
		return AV_MEMORY;
	}
	bus->loop = loop;
	bus->options = *options;
	bus->keys = *options->keys;
	bus->options.keys = &bus->keys;
	bus->context = zmq_ctx_new();
	if (!bus->context) {
		free(bus);
		*ret_why = "ZeroMQ could not be started; is the machine out of memory or descriptors?";
		return AV_MEMORY;
	}
	/* None of these can fail: they allocate nothing. */
	uv_prepare_init(loop, &bus->prepare);
	uv_check_init(loop, &bus->check);
	uv_idle_init(loop, &bus->idle);
	uv_timer_init(loop, &bus->retry);
	bus->prepare.data = bus->check.data = bus->idle.data = bus->retry.data = bus;
	bus->handles = 4;
	uv_prepare_start(&bus->prepare, on_prepare);
	uv_check_start(&bus->check, on_check);
	int status = zap_open(bus, ret_why);
	if (status != AV_OK) {
		av_bus_destroy(&bus);
		return status;
	}
	*ret_bus = bus;
	return AV_OK;
}

void av_bus_destroy(struct av_bus **bus)
{
	struct av_bus *dying = *bus;
	if (!dying)
		return;
	*bus = NULL;
	struct av_socket *socket, *next;
	DL_FOREACH_SAFE(dying->sockets, socket, next)
	{
		struct av_socket *closing = socket;
		av_socket_close(&closing);
	}
	pump_close(&dying->zap);
	zmq_ctx_term(dying->context); /* waits for what is still to be sent, LINGER_MS at most */
	lent_finish(dying);
	av_wipe(&dying->keys, sizeof(dying->keys));
	dying->destroyed = true;
	uv_close((uv_handle_t *)&dying->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&dying->check, on_handle_closed);
	uv_close((uv_handle_t *)&dying->idle, on_handle_closed);
	uv_close((uv_handle_t *)&dying->retry, on_handle_closed);
}

void av_bus_set_principals(struct av_bus *bus, struct av_principals *table)
{
	struct av_principals *before = bus->principals;
	struct av_socket *socket;
	bus->principals = av_principals_ref(table);
	DL_FOREACH (bus->sockets, socket)
		if (!socket->closed && socket->options.kind == AV_SOCKET_XPUB)
			stream_revalidate(socket, before);
	av_principals_unref(&before);
}

const struct av_principal *av_bus_principal(const struct av_bus *bus, const char *key)
{
	if (!bus->principals || !key)
		return NULL;
	return av_principals_by_key(bus->principals, key, bus->options.now_ms(bus->options.context));
}

uv_loop_t *av_bus_loop(const struct av_bus *bus)
{
	return bus->loop;
}

unsigned int av_bus_connections(const struct av_bus *bus)
{
	unsigned int sum = 0;
	const struct av_socket *socket;
	DL_FOREACH (bus->sockets, socket)
		sum += socket->connections;
	return sum;
}

/* Handshakes under way count only against twice the limit: otherwise a few peers too many, all coming back at
 * once, could keep everyone out. */
static unsigned int room_for(const struct av_bus *bus, const struct av_principal *principal)
{
	bool depended_on = principal && (strcmp(principal->kind, "daemon") == 0 ||
						strcmp(principal->kind, "administrator") == 0);
	return bus->options.connections + (depended_on ? MORE_CONNECTIONS : 0);
}

bool bus_is_full(struct av_bus *bus, const struct av_principal *principal)
{
	unsigned int room = room_for(bus, principal), all = 0, admitted = 0, failed = 0;
	const struct av_socket *socket;
	DL_FOREACH (bus->sockets, socket) {
		all += socket->connections;
		admitted += socket->admitted;
		failed += socket->failed;
	}
	/* A grant may come to nothing: never more than there are handshakes under way. */
	unsigned int under_way = all > admitted + failed ? all - admitted - failed : 0;
	bus->granted = AV_MIN(bus->granted, under_way);
	return admitted + bus->granted >= room || all > 2 * room;
}

bool av_bus_full(struct av_bus *bus)
{
	return bus_is_full(bus, NULL);
}

void bus_retry(struct av_bus *bus)
{
	uv_timer_start(&bus->retry, on_retry, RETRY_MS, RETRY_MS);
}

/* The key's entry; the one told longest ago makes room. */
struct refusal *bus_refusal(struct av_bus *bus, const char *key)
{
	uint64_t now_ms = uv_now(bus->loop);
	struct refusal *oldest = NULL;
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		struct refusal *entry = &bus->refusals[i];
		if (entry->used && strcmp(entry->key, key) == 0)
			return entry;
		if (!entry->used) {
			oldest = entry;
			break;
		}
		if (entry->barred_until_ms <= now_ms && (!oldest || entry->told_at_ms < oldest->told_at_ms))
			oldest = entry;
	}
	if (!oldest)
		oldest = &bus->refusals[0]; /* all are barred: the table is a bound, not a promise */
	*oldest = (struct refusal){.used = true};
	memcpy(oldest->key, key, strnlen(key, AV_CURVE_TEXT - 1));
	return oldest;
}

void bus_refuse(struct av_bus *bus, const char *key, const char *why)
{
	struct refusal *entry = bus_refusal(bus, key);
	uint64_t now_ms = uv_now(bus->loop);
	if (entry->told_at_ms && now_ms - entry->told_at_ms < TOLD_EVERY_MS)
		return;
	entry->told_at_ms = now_ms ? now_ms : 1;
	if (bus->options.on_refused)
		bus->options.on_refused(bus->options.context, key, why);
}

void bus_bar(struct av_bus *bus, const char *key, const char *why)
{
	if (key[0])
		bus_refusal(bus, key)->barred_until_ms = uv_now(bus->loop) + TOLD_EVERY_MS;
	bus_refuse(bus, key, why);
}

bool bus_barred(struct av_bus *bus, const char *key)
{
	for (size_t i = 0; i < REFUSALS_MAX && bus->refusals[i].used; i++)
		if (strcmp(bus->refusals[i].key, key) == 0)
			return bus->refusals[i].barred_until_ms > uv_now(bus->loop);
	return false;
}
