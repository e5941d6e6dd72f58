/* link.h - a blocking ZeroMQ connection with CURVE: what the parts of libavvik share. zmq.h is behind link.c.
 */
#ifndef AVVIK_CLIENT_LINK_H
#define AVVIK_CLIENT_LINK_H

#include "avvik/client.h"
#include "base/bytes.h"
#include "wire/message.h"

#define AV_KEY_TEXT 41
#define LINK_FRAME_MAX (16 * 1024 * 1024)
#define LINK_LIMITS ((struct av_wire_limits){LINK_FRAME_MAX, 1000000, 16})
#define LINK_QUEUE 10000 /* messages each way */

enum link_kind { LINK_DEALER, LINK_SUB };

struct link {
	enum link_kind kind;
	char *endpoint;
	char server_key[AV_KEY_TEXT], public_key[AV_KEY_TEXT], secret_key[AV_KEY_TEXT];
	void *context, *zmq, *monitor;
	unsigned int monitors;
	bool connected; /* as far as the monitor has told */
	char **topics;	/* SUB; NULL-terminated */
	size_t topic_count;
};

/* AV_INVALID: a key or the endpoint; AV_MEMORY. On failure `link` needs no closing. */
int link_open(struct link *link, enum link_kind kind, const char *endpoint,
	const struct av_client_options *options);
void link_close(struct link *link);
/* Drops the connection with all that is on its way, and makes another. */
int link_reset(struct link *link);
int link_subscribe(struct link *link, const char *topic);
/* AV_BUSY: the queue is full. */
int link_send(struct link *link, struct av_bytes body);
/* The last frame of the next message, from malloc. AV_CLOSED: the connection has ended, told once; it is
 * being made again, but what was on its way is lost. AV_TIMEOUT, AV_MEMORY, AV_INTERNAL. */
int link_receive(struct link *link, int64_t deadline_ms, unsigned char **ret_body, size_t *ret_size);

/* A message of a peer, scanned and then unpacked with malloc, as the library's user frees it. NULL: it is not
 * one. */
ProtobufCMessage *link_unpack(const ProtobufCMessageDescriptor *type, const void *body, size_t size);
/* av_client_call with a moment by which it must be over (monotonic). */
int client_call_until(struct av_client *client, const Avvik__V1__Command *command, int64_t deadline_ms,
	Avvik__V1__Reply **ret_reply);

#endif
