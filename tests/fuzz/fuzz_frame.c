/* Any bytes as a frame. What is read is written, and what was written reads and writes the same. */
#include "base/ensure.h"
#include "wire/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct frame_reader first;
	static struct frame_reader second;
	struct packet packet;
	struct packet again;
	enum frame_result result;
	frame_start(&first, span_of(data, len));
	while ((result = frame_next(&first, &packet)) != FRAME_END) {
		if (result != FRAME_PACKET)
			continue;
		struct buf written = {0};
		struct buf rewritten = {0};
		packet_write(&written, &packet);
		frame_start(&second, span_of(written.data, written.len));
		ensure(frame_next(&second, &again) == FRAME_PACKET);
		ensure(again.kind == packet.kind && again.len == written.len);
		packet_write(&rewritten, &again);
		ensure(span_equal(span_of(written.data, written.len),
				  span_of(rewritten.data, rewritten.len)));
		buf_fini(&written);
		buf_fini(&rewritten);
	}
	return 0;
}
