foreach(part notices delivery)
	av_test(notification_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/notification_${part}.c
		${CMAKE_CURRENT_LIST_DIR}/notification_support.c LINKS notification_parts avvik_harness LABELS component)
endforeach()
