/* played.c - see played.h; it stands where common/bus has the bus and its sockets */
#include "played.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "must.h"

struct played played;

uv_loop_t *av_bus_loop(const struct av_bus *bus)
{
	AV_UNUSED(bus);
	return &played.loop;
}

const struct av_principal *av_bus_principal(const struct av_bus *bus, const char *key)
{
	AV_UNUSED(bus);
	AV_UNUSED(key);
	return played.principal.rights ? &played.principal : NULL;
}

/* A frame is a copy on the heap, so that reading beyond it is seen. */
struct frame {
	void *data;
	size_t size;
};

struct av_bytes av_frame_bytes(const struct av_frame *frame)
{
	const struct frame *f = (const struct frame *)(const void *)frame->opaque;
	return av_bytes(f->data, f->size);
}

void av_frame_release(struct av_frame *frame)
{
	struct frame *f = (struct frame *)(void *)frame->opaque;
	free(f->data);
	memset(frame, 0, sizeof *frame);
}

struct av_frame played_frame(struct av_bytes bytes)
{
	struct av_frame frame = {{0}};
	struct frame *f = (struct frame *)(void *)frame.opaque;
	f->data = malloc(bytes.size ? bytes.size : 1);
	f->size = bytes.size;
	if (bytes.size)
		memcpy(f->data, bytes.data, bytes.size);
	return frame;
}

int av_socket_open(struct av_bus *bus, const struct av_socket_options *options, struct av_socket **ret_socket,
	const char **ret_why)
{
	struct av_socket *socket = calloc(1, sizeof *socket);
	AV_UNUSED(bus);
	AV_UNUSED(ret_why);
	socket->options = *options;
	*(options->kind == AV_SOCKET_ROUTER ? &played.router : &played.dealer) = socket;
	*ret_socket = socket;
	return AV_OK;
}

void av_socket_close(struct av_socket **socket)
{
	free(*socket);
	*socket = NULL;
}

const char *av_socket_endpoint(const struct av_socket *socket)
{
	return socket->options.endpoint;
}

int av_socket_send(struct av_socket *socket, const struct av_route *route, struct av_bytes body)
{
	if (socket == played.dealer) {
		played_request(body);
		return AV_OK;
	}
	MUST(route->size == 1, "a reply goes to somebody who did not ask");
	played_reply(body);
	return AV_OK;
}
