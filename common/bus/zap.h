/* zap.h - a ZAP 1.0 request (ZeroMQ RFC 27), taken apart. Pure, so that it can be fuzzed. */
#ifndef AVVIK_BUS_ZAP_H
#define AVVIK_BUS_ZAP_H

#include "base/bytes.h"
#include "bus/principals.h"

#define AV_ZAP_FRAMES 7 /* version, request id, domain, address, identity, mechanism, credentials */

struct av_zap_request {
	struct av_bytes id, domain, address; /* point into the frames */
	char key[AV_CURVE_TEXT];	     /* the peer's public key, Z85 */
};

/* AV_MALFORMED: not seven frames, a field too long or with a size of its own that is wrong; AV_UNSUPPORTED:
 * another version, or another mechanism than CURVE. */
int av_zap_parse(const struct av_bytes *frames, size_t count, struct av_zap_request *ret_request);

#endif
