/* bus_internal.h - what bus.c, socket.c and zap.c share. Nobody else includes it. */
#ifndef AVVIK_BUS_BUS_INTERNAL_H
#define AVVIK_BUS_BUS_INTERNAL_H

#include "bus/socket.h"

#define REFUSALS_MAX 256
#define DRAIN_AT_ONCE 256 /* messages of one socket in one round of the loop */
#define LINGER_MS 200
#define ZAP_DOMAIN "avvik"
#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

/* A ZeroMQ socket whose descriptor wakes the loop. Lives until libuv has let go of the handle. */
struct pump {
	uv_poll_t poll;
	struct av_bus *bus;
	void *zmq;  /* NULL once closed */
	bool empty; /* it had nothing, and its descriptor has been silent and it unused since */
};

/* A key that was refused, so that it is told once a minute. */
struct refusal {
	char key[AV_CURVE_TEXT]; /* empty: no key is known */
	bool used;
	uint64_t told_at_ms, barred_until_ms;
	uint64_t window_at_ms;
	unsigned int subscriptions; /* in this minute */
};

struct lent;

struct av_bus {
	uv_loop_t *loop;
	void *context;
	struct av_bus_options options;
	struct av_keypair keys;
	struct av_principals *principals;
	struct pump *zap;
	struct av_socket *sockets;
	struct lent *lent; /* of all ROUTER sockets there were */
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;
	uv_timer_t retry; /* of streams that could not be bound again at once */
	unsigned int handles, monitors;
	unsigned int granted; /* by ZAP, and not admitted yet */
	bool draining, destroyed;
	struct refusal refusals[REFUSALS_MAX];
};

struct av_socket {
	struct av_bus *bus;
	struct av_socket_options options;
	struct lent *lent;	     /* ROUTER */
	struct pump *pump, *monitor; /* NULL: closed, or a stream that waits to be bound again */
	char *endpoint, *server_key;
	/* Of peers: all, those past their handshake, those whose handshake failed and that are about to go.
	 */
	unsigned int connections, admitted, failed;
	bool paused, closed, skipping;
	int64_t valid_until_ms; /* XPUB: when the first key that may subscribe runs out */
	struct av_socket_counts counts;
	struct av_socket *prev, *next;
};

/* bus.c */
struct pump *pump_open(struct av_bus *bus, void *zmq); /* takes the socket over; NULL: it is closed */
void pump_close(struct pump **pump);
bool pump_readable(struct pump *pump);
bool pump_look(struct pump *pump); /* also when it is known to have nothing */
/* it was used: a send may have swallowed what its descriptor says; accepts NULL */
void pump_wake(struct pump *pump);
void bus_refuse(struct av_bus *bus, const char *key, const char *why);
void bus_bar(struct av_bus *bus, const char *key, const char *why); /* no handshake for a minute */
bool bus_barred(struct av_bus *bus, const char *key);
struct refusal *bus_refusal(struct av_bus *bus, const char *key);
/* Is there no room for one more? Whom the others depend on (daemons, administrators) finds some beyond. */
bool bus_is_full(struct av_bus *bus, const struct av_principal *principal);
void bus_retry(struct av_bus *bus); /* streams that wait are bound again soon */
void bus_sweep(struct av_bus *bus); /* frees sockets that were closed */

/* socket.c */
int socket_connect(
	struct av_socket *socket, const char **ret_why); /* make it, bind or connect it, and its monitor */
void socket_drain(struct av_socket *socket);
bool socket_wants(const struct av_socket *socket);
void socket_free(struct av_socket *socket);

/* lent.c */
struct lent *lent_create(struct av_bus *bus);
void lent_finish(struct av_bus *bus); /* when ZeroMQ has ended */
/* A message that holds a copy of the body and counts it until it has gone out. AV_BUSY: the peer, or all
 * together, have too much to read already. */
#define LENT_LEAST 4096 /* bytes of a body that is worth it */
struct zmq_msg_t;
int lent_body(
	struct lent *lent, const struct av_route *route, struct av_bytes body, struct zmq_msg_t *ret_msg);

/* monitor.c */
struct pump *socket_monitor_open(struct av_socket *socket, void *zmq);
void socket_monitor_drain(struct av_socket *socket);

/* stream.c */
void stream_drain(struct av_socket *socket);
void stream_revalidate(struct av_socket *socket, const struct av_principals *before);
bool stream_bind_again(struct av_socket *socket); /* true: it is bound */

/* zap.c */
int zap_open(struct av_bus *bus, const char **ret_why);
void zap_drain(struct av_bus *bus);

#endif
