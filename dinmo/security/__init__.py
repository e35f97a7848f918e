"""How the running application is protected: headers of every response, and conditions for a start in production."""
