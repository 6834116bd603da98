"""The OpenAPI document of the endpoint, and the documentation pages made from it."""
