"""`hutong keys sm2`: keys of SM2 in OpenSSL's files, what they sign, and files sealed to them."""
