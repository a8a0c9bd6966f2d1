"""What programs ask of the library over the network: REST with a description in OpenAPI 3.1."""
