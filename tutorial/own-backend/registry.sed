/^std::span<const Backend\* const> backends/i extern const Backend epoll_rearm_backend;\n
s/^ *&threads_backend,/&\n      \&epoll_rearm_backend,/
