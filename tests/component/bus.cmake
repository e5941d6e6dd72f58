# Real sockets on loopback, server and peers in one process.
add_library(bus_world STATIC ${CMAKE_CURRENT_LIST_DIR}/bus_world.c)
target_include_directories(bus_world PUBLIC ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/../support)
target_link_libraries(bus_world PUBLIC avvik_bus PkgConfig::libzmq PkgConfig::cmocka PRIVATE avvik_flags)
foreach(part socket stream feed)
	av_test(bus_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/bus_${part}.c LINKS bus_world LABELS component)
endforeach()
av_test(bus_client SOURCES ${CMAKE_CURRENT_LIST_DIR}/bus_client.c LINKS bus_world avvik_client Threads::Threads
	LABELS component)
