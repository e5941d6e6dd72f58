/* stream.h - a connection to loopback, plain or TLS, that never waits: for peers whose library has no TLS. */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct stream;

/* ca: the certificate that the server's must be signed with; NULL: no TLS. NULL with the reason in *ret_why.
 */
struct stream *stream_open(int port, const char *ca, const char **ret_why);
void stream_close(struct stream *stream);
void stream_put(struct stream *stream, const void *data, size_t size); /* into the buffer */
bool stream_send(struct stream *stream);			       /* as much as the socket takes */
/* What has arrived: the number of bytes, 0 for none, -1 when the connection has ended. */
long stream_take(struct stream *stream, void *to, size_t room);
struct pollfd stream_wants(const struct stream *stream);

#endif
