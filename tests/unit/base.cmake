foreach(part memory ids clock date calendar period period_laws period_stops)
	av_test(base_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/base_${part}.c LINKS avvik_base LABELS unit)
endforeach()
