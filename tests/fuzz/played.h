/* played.h - a bus and its two sockets that are played: what is sent is told, what arrives is called. */
#ifndef AVVIK_TESTS_FUZZ_PLAYED_H
#define AVVIK_TESTS_FUZZ_PLAYED_H

#include "bus/socket.h"

struct av_socket {
	struct av_socket_options options;
};

struct played {
	uv_loop_t loop;
	struct av_socket *router, *dealer; /* as opened last */
	struct av_principal principal;	   /* of every key; without rights: the key belongs to nobody */
};
extern struct played played;

/* A copy on the heap, so that reading beyond it is seen. */
struct av_frame played_frame(struct av_bytes bytes);
/* The program's: the dealer sends a request, the router a reply. */
void played_request(struct av_bytes body);
void played_reply(struct av_bytes body);

#endif
