/* socket.h - ZeroMQ on a libuv loop: the only place that knows zmq.h.
 *
 * ZeroMQ's descriptor is edge-triggered: the bus drives each socket from prepare, check, idle and poll
 * handles so that no message waits. All of it belongs to the loop's thread. Every socket uses CURVE; a ZAP
 * handler maps a client's key to a principal at the handshake, and each message says whose it is by the table
 * in force now. Bounded: connections (refused at the handshake beyond the limit), frames of a message
 * (AV_FRAMES_MAX; the rest is thrown away unread and the message is reported with `broken`), bytes of a frame
 * (ZeroMQ drops the peer), messages and bytes queued to a peer that does not read, and bytes to all of a
 * socket's peers together (AV_BUSY, the message is dropped and counted).
 */
#ifndef AVVIK_BUS_SOCKET_H
#define AVVIK_BUS_SOCKET_H

#include <uv.h>
#include "bus/principals.h"

#define AV_FRAMES_MAX 8	 /* envelope frames, empty frame and body together */
#define AV_ROUTE_MAX 512 /* bytes of the envelope frames of a ROUTER message */

struct av_bus;
struct av_socket;

/* A frame of ZeroMQ whose ownership moves by assignment; release exactly once. */
struct av_frame {
	_Alignas(8) unsigned char opaque[64];
};
struct av_bytes av_frame_bytes(const struct av_frame *frame);
void av_frame_release(struct av_frame *frame); /* from any thread; a zeroed one is nothing */

/* Where a reply goes: the envelope frames with their sizes, the empty frame included. */
struct av_route {
	uint16_t size;
	unsigned char bytes[AV_ROUTE_MAX];
};

struct av_message_in {
	struct av_route route; /* ROUTER only */
	struct av_frame body;  /* the callee owns it */
	const struct av_principal
		*principal; /* valid until the callback returns; NULL: the key is no longer allowed */
	const char
		*key; /* the peer's public key, Z85; valid until the callback returns. DEALER: the server's */
	bool broken;  /* too many or no frames: answer MALFORMED; body is empty */
};

struct av_keypair {
	char public_key[AV_CURVE_TEXT];
	char secret_key[AV_CURVE_TEXT];
};
int av_keypair_make(struct av_keypair *ret_keys);
/* A file of two lines, "public <Z85>" and "secret <Z85>", mode 0600. */
int av_keypair_load(const char *path, struct av_keypair *ret_keys);
int av_keypair_save(const char *path, const struct av_keypair *keys); /* AV_EXISTS */

struct av_bus_options {
	unsigned int connections;	  /* per process; some more of daemons and administrators */
	const struct av_keypair *keys;	  /* own, as server and as client */
	int64_t (*now_ms)(void *context); /* for the validity of keys */
	/* A handshake was refused, or a message came under a revoked key: told once per key and minute. */
	void (*on_refused)(void *context, const char *key, const char *why);
	void *context;
};
int av_bus_create(
	uv_loop_t *loop, const struct av_bus_options *options, struct av_bus **ret_bus, const char **ret_why);
/* Closes all sockets, lingers at most 200 ms. The loop must run once more, so that its handles close. */
void av_bus_destroy(struct av_bus **bus);
uv_loop_t *av_bus_loop(const struct av_bus *bus);
/* Takes a reference. Handshakes and messages from now on go by this table. */
void av_bus_set_principals(struct av_bus *bus, struct av_principals *table);
/* By the table in force now; valid until the next av_bus_set_principals. NULL: nobody's, or not now. */
const struct av_principal *av_bus_principal(const struct av_bus *bus, const char *key);
unsigned int av_bus_connections(
	const struct av_bus *bus); /* of peers to all sockets, handshakes under way included */

/* Are publishers, case systems and consumers refused, because there are as many peers as may be? */
bool av_bus_full(struct av_bus *bus);

enum av_socket_kind { AV_SOCKET_ROUTER, AV_SOCKET_DEALER, AV_SOCKET_XPUB };

struct av_socket_options {
	enum av_socket_kind kind;
	const char *endpoint;	/* ROUTER and XPUB bind (port 0 or * : any free port), DEALER connects */
	const char *server_key; /* DEALER: the server's public key */
	size_t frame_bytes;	/* ZMQ_MAXMSGSIZE */
	int queue_messages;	/* high-water mark each way, per peer */
	void (*on_message)(void *context, struct av_message_in *message);
	/* XPUB: may this principal subscribe to the topic? Called for each subscription; a refused one is not
	 * put in force. */
	bool (*on_subscribe)(void *context, const struct av_principal *principal, struct av_bytes topic);
	void (*on_connected)(void *context); /* DEALER: a connection was made, or made again; may be NULL */
	void *context;
};
int av_socket_open(struct av_bus *bus, const struct av_socket_options *options, struct av_socket **ret_socket,
	const char **ret_why);
void av_socket_close(struct av_socket **socket);
const char *av_socket_endpoint(const struct av_socket *socket); /* as bound */
/* ROUTER: to the route. DEALER: route NULL. AV_BUSY: the peer does not read (dropped); AV_NOTHING: the peer
 * is gone. */
int av_socket_send(struct av_socket *socket, const struct av_route *route, struct av_bytes body);
/* XPUB. */
/* When a key with the right `summary` runs out, or a new table narrows it, all subscribers are let go before
 * the next publication: they come back and subscribe under the rights of that time. AV_BUSY while that goes
 * on (dropped). */
int av_socket_publish(struct av_socket *socket, struct av_bytes topic, struct av_bytes body);
/* Stop reading (back-pressure); ZeroMQ's queues fill, then the peers' own. */
void av_socket_pause(struct av_socket *socket, bool paused);

struct av_socket_counts {
	uint64_t received, sent, dropped, broken, refused;
};
struct av_socket_counts av_socket_counts(const struct av_socket *socket);

#endif
