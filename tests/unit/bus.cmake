foreach(part zap principals keys event_number)
	av_test(bus_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/bus_${part}.c LINKS avvik_bus LABELS unit)
endforeach()
av_test(client_figures SOURCES ${CMAKE_CURRENT_LIST_DIR}/client_figures.c LINKS avvik_client LABELS unit)
