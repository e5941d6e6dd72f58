/* status.c - texts and names of the outcomes */
#include "base/status.h"

const char *av_status_text(int status)
{
	switch (status) {
#define X(name, value, text) \
	case value:          \
		return text;
		AV_STATUS_LIST(X)
#undef X
	}
	return "unknown status";
}

const char *av_status_name(int status)
{
	switch (status) {
#define X(name, value, text) \
	case value:          \
		return #name;
		AV_STATUS_LIST(X)
#undef X
	}
	return "UNKNOWN";
}
