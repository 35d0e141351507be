/*
 * A long message goes from thread to thread within the process without a copy: who receives it
 * reads what the sender wrote. libzmq orders the two, which the thread sanitizer does not see,
 * because libzmq is not built with it. So it is told, by the address of the bytes, and by nothing
 * else: whatever is not ordered by such a message is still a race. Without the sanitizer nothing.
 */
#ifndef LYC_IO_MESSAGE_ORDER_H
#define LYC_IO_MESSAGE_ORDER_H

#include "base/sanitizer.h"

#if WITH_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#define message_given(bytes) __tsan_release(bytes)
#define message_taken(bytes) __tsan_acquire(bytes)
#else
#define message_given(bytes) ((void)(bytes))
#define message_taken(bytes) ((void)(bytes))
#endif

#endif
